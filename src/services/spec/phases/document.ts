import type { PlanningPhase } from '../states.ts';
import type { Artifacts } from './definition.ts';
import { definitionOf } from './registry.ts';

/** The Markdown of one phase's artifact, or null where that phase is not done. */
export function artifactMarkdown(artifacts: Artifacts, phase: PlanningPhase): string | null {
  const artifact = artifacts[phase];
  return artifact === undefined ? null : definitionOf(phase).render(artifact);
}
