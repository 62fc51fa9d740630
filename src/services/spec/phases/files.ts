import type { Artifacts } from './definition.ts';
import { artifactMarkdown } from './document.ts';
import { planningPhases } from './registry.ts';

/**
 * The artifacts as files to commit with the change.
 * @param folder relative to the repository's root, without a slash at its end: `specs/{id8}-{slug}`.
 */
export function renderSpecFiles(artifacts: Artifacts, folder: string): { path: string; content: string }[] {
  return planningPhases.flatMap((phase) => {
    const body = artifactMarkdown(artifacts, phase);
    if (body === null) return [];
    return [{ path: `${folder}/${phase}.md`, content: `# ${phaseTitle(phase)}\n\n${body}\n` }];
  });
}

function phaseTitle(phase: string): string {
  return `${phase.charAt(0).toUpperCase()}${phase.slice(1)}`;
}
