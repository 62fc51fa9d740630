import type { GateContext } from '../../src/services/spec/phases/definition.ts';
import { checkOutput } from '../../src/services/spec/phases/registry.ts';
import type { PlanningPhase } from '../../src/services/spec/states.ts';
import { demoArtifacts } from './artifacts.ts';

/** Why the answer of a phase is not accepted, where the demo's artifacts came before it; empty when it is. */
export function failuresOf(
  phase: PlanningPhase,
  output: unknown,
  context: GateContext = demoArtifacts(),
): string[] {
  const checked = checkOutput(phase, output, context);
  return checked.ok ? [] : checked.failures;
}
