import { environmentExample } from './environment.ts';
import { eventsPage } from './events.ts';
import { manifest } from './manifest.ts';
import { permissionsPage } from './permissions.ts';
import { settingsPage } from './settings.ts';
import { stateMachinePage } from './state-machine.ts';

/** A committed file that is made from the code. */
export interface Page {
  /** Relative to the repository's root. */
  readonly path: string;
  render(): string;
}

export const pages: readonly Page[] = [
  { path: '.env.example', render: environmentExample },
  { path: 'app.yml', render: () => manifest('base') },
  { path: 'app.workflows.yml', render: () => manifest('workflows') },
  { path: 'docs/permissions.md', render: permissionsPage },
  { path: 'docs/settings.md', render: settingsPage },
  { path: 'docs/state-machine.md', render: stateMachinePage },
  { path: 'docs/events.md', render: eventsPage },
];
