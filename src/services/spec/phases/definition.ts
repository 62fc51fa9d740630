import type { z } from 'zod';
import { FatalError } from '../../../errors.ts';
import type { PathRules } from '../../branches/paths.ts';
import type { PlanningPhase } from '../states.ts';
import type { DesignArtifact } from './design.ts';
import type { ExploreArtifact } from './explore.ts';
import type { RequirementsArtifact } from './requirements.ts';
import type { SyncArtifact } from './sync.ts';
import type { TasksArtifact } from './tasks.ts';

/** What each planning phase leaves behind, validated. */
export interface ArtifactOf {
  readonly explore: ExploreArtifact;
  readonly requirements: RequirementsArtifact;
  readonly design: DesignArtifact;
  readonly tasks: TasksArtifact;
  readonly sync: SyncArtifact;
}

/** The artifacts of the phases that are done. */
export type Artifacts = { readonly [P in PlanningPhase]?: ArtifactOf[P] };

/** What a gate judges by: the earlier artifacts and what the repository's settings say. */
export interface GateContext extends Artifacts, PathRules {
  readonly maxTasks?: number;
}

/** What a phase's prompt is made from. Everything but the frame is data written by others. */
export interface PromptInput {
  /** "owner/name". */
  readonly repository: string;
  readonly baseBranch: string;
  /** Title and body as they were frozen when the label was set. */
  readonly issue: { readonly number: number; readonly title: string; readonly body: string };
  readonly earlier: Artifacts;
  /** Why the previous attempt was not accepted; empty at the first. */
  readonly failures: readonly string[];
  readonly protectedPaths?: readonly string[];
  /** `not_set` where nothing is said. */
  readonly workflows?: PathRules['workflows'];
  /** The command that will judge the work, where the repository names one. */
  readonly verifyCommand?: string | null;
}

export interface PhaseDefinition<P extends PlanningPhase> {
  readonly name: P;
  /** Raised whenever the schema changes its meaning; part of what an approval binds to. */
  readonly schemaVersion: number;
  readonly schema: z.ZodType<ArtifactOf[P]>;
  prompt(input: PromptInput): string;
  /** Hard failures, each a sentence that says what is wrong and where; none means passed. */
  gate(artifact: ArtifactOf[P], context: GateContext): string[];
  /** The artifact as Markdown, without a heading of its own. */
  render(artifact: ArtifactOf[P]): string;
}

/**
 * The artifact of a phase that must be done by now.
 * @throws FatalError when it is missing, which is a mistake of the caller and not of the agent.
 */
export function required<P extends PlanningPhase>(earlier: Artifacts, phase: P): ArtifactOf[P] {
  const artifact = earlier[phase];
  if (artifact === undefined) throw new FatalError(`the ${phase} artifact is missing`);
  return artifact;
}
