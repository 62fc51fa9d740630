import { type ConfigProblem, WEBHOOK_PATH } from '../config.ts';

/** Exit code of a process that was not set up: EX_CONFIG of sysexits.h, which supervisors can tell from a crash. */
export const EXIT_CONFIG = 78;

/** Where the App's pages are: github.com, or an Enterprise Server. */
export interface AppPages {
  readonly webUrl: string;
  /** The address that GitHub shall send webhooks to, where it is known. */
  readonly publicUrl: string | null;
}

/** What `npm start` prints when there are no App credentials: how to get them, step by step. */
export function credentialsSteps({ webUrl, publicUrl }: AppPages): string {
  const hook = `${publicUrl ?? 'https://<where this runs>'}${WEBHOOK_PATH}`;
  return `Specwright has no GitHub App credentials yet, so it cannot start.

To see it work first, without any account:

  npm run demo

To run it for real, create a GitHub App of your own (about five minutes):

  1. Open ${webUrl}/settings/apps/new
     (for an organisation: ${webUrl}/organizations/<name>/settings/apps/new).
  2. Choose a name; the homepage may be any address of yours.
  3. Webhook: leave it active, and enter
       URL     ${hook}
       Secret  what this prints:  openssl rand -hex 32
     No address that GitHub can reach? "npm run dev" forwards through smee.io; smee shows payloads to a third party.
  4. Permissions and events: those of app.yml. docs/permissions.md says what each is for.
  5. Create the App, note the "App ID", and generate a private key; the browser saves a .pem file.
  6. Copy .env.example to .env and set
       APP_ID=<the App ID>
       PRIVATE_KEY_PATH=<the .pem file>
       WEBHOOK_SECRET=<the secret of step 3>
  7. Install the App on a repository, and run "npm start" again.

docs/operations.md has the same with more detail.
`;
}

/** What is printed when settings are missing or wrong: every problem, each with what to set. */
export function configProblems(problems: readonly ConfigProblem[]): string {
  const lines = problems.map(({ name, problem, fix }) => `  ${name} ${problem}.\n    ${fix}`);
  const count = problems.length === 1 ? 'A setting is' : `${problems.length} settings are`;
  return `${count} missing or wrong, so Specwright does not start.\n\n${lines.join('\n\n')}\n\n.env.example explains every setting.\n`;
}
