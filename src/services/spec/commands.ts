import { insertEffect, type NewEffect, wasLabelled } from '../../db/effects.ts';
import type { SpecRow } from '../../db/specs.ts';
import { closePlan, resetPendingTasks } from '../../db/tasks.ts';
import { assertNever } from '../../errors.ts';
import type { Deps, Unit } from '../deps.ts';
import { fenceOff } from '../sandboxes/fence.ts';
import type { SpecCommand } from './outcome.ts';
import { PUBLISH_LABEL } from './rule-parts.ts';
import type { Hold } from './states.ts';

interface Order {
  readonly spec: SpecRow;
  readonly command: SpecCommand;
}

/** Writes what one command asks for: rows and jobs, nothing outside the database. */
export async function carryOut(deps: Deps, unit: Unit, { spec, command }: Order): Promise<void> {
  const { trx } = unit;
  const job = { data: { specId: spec.id }, key: spec.id };
  switch (command.do) {
    case 'prepare':
      await resetPendingTasks(trx, spec.id);
      return deps.jobs.enqueue(trx, 'spec.prepare', job);
    case 'ensure_sandbox':
      return deps.jobs.enqueue(trx, 'sandbox.ensure', job);
    case 'inspect':
      return deps.jobs.enqueue(trx, 'spec.inspect', job);
    case 'close_sandbox':
      await fenceOff(trx, spec.id, command.reason);
      return;
    case 'close_plan':
      return closePlan(trx, spec.id);
    case 'remove_label':
      // That one is a person's, and set again to say it again.
      if (command.label !== PUBLISH_LABEL && !(await wasLabelled(trx, spec.id, command.label))) return;
      return ask(deps, unit, effectOf(spec, command));
    case 'delete_checkpoint':
      if (spec.checkpoint_sha === null) return;
      return ask(deps, unit, effectOf(spec, command));
    case 'delete_branch':
      if (spec.branch_name === null) return;
      return ask(deps, unit, effectOf(spec, command));
    case 'acknowledge':
    case 'create_branch':
    case 'publish_artifacts':
    case 'move_branch':
    case 'open_pull':
    case 'notify':
    case 'add_label':
      return ask(deps, unit, effectOf(spec, command));
    default:
      return assertNever(command, 'command');
  }
}

type EffectCommand = Extract<
  SpecCommand,
  {
    do:
      | 'acknowledge'
      | 'create_branch'
      | 'publish_artifacts'
      | 'move_branch'
      | 'open_pull'
      | 'notify'
      | 'add_label'
      | 'remove_label'
      | 'delete_branch'
      | 'delete_checkpoint';
  }
>;

/** The key says what "the same effect" is: a second one with the same key can't exist. */
function keyOf(spec: SpecRow, command: EffectCommand): string {
  const round = spec.round;
  switch (command.do) {
    case 'acknowledge':
    case 'create_branch':
      return command.do;
    case 'open_pull':
    case 'publish_artifacts':
    case 'delete_branch':
    case 'delete_checkpoint':
      return `${command.do}/${round}`;
    case 'move_branch':
      return `move_branch/${command.sha}/${round}`;
    case 'notify':
      // A spec can be held again and again, and each time it needs somebody.
      return command.notice === 'held'
        ? `notify/held/${(spec.hold as Hold | null)?.nth ?? round}`
        : `notify/${command.notice}/${round}`;
    case 'add_label':
    case 'remove_label':
      return `${command.do}/${command.label}/${round}`;
    default:
      return assertNever(command, 'effect command');
  }
}

function effectOf(spec: SpecRow, command: EffectCommand): NewEffect {
  const { do: kind, ...payload } = command;
  return {
    effect_key: `spec/${spec.id}/${keyOf(spec, command)}`,
    spec_id: spec.id,
    repository_id: spec.repository_id,
    kind,
    payload,
  };
}

/** Writes an effect and the job that looks at its key; a key that stands already needs neither. */
export async function ask(deps: Deps, { trx }: Unit, effect: NewEffect): Promise<void> {
  if (!(await insertEffect(trx, effect))) return;
  const key = effect.effect_key;
  await deps.jobs.enqueue(trx, 'effect.publish', { data: { key }, key });
}
