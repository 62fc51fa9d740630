import type { NewRepository } from '../../src/emulator/repositories.ts';
import type { Answer, EmulatedGithub } from './emulated-github.ts';

export interface EmulatedProject {
  readonly fullName: string;
  /** `/repos/{owner}/{repo}`. */
  readonly path: string;
  /** Commits a file to a branch. */
  put(branch: string, path: string, text: string): Promise<void>;
  /** Makes a branch from main, with these files changed. */
  branch(name: string, files: Record<string, string>): Promise<void>;
  /** Opens a pull request into main. */
  open(head: string, body?: string, more?: Record<string, unknown>): Promise<Answer>;
}

/** Makes a repository of two files that the App reaches and mona may write to; what is told of that is over. */
export async function openProject(
  github: EmulatedGithub,
  token: string,
  more: Partial<NewRepository> = {},
): Promise<EmulatedProject> {
  const name = `project-${Math.random().toString(36).slice(2, 8)}`;
  const files = { 'one.txt': 'one\n', 'two.txt': 'two\n' };
  const { fullName } = await github.emulator.createRepository({ owner: 'acme', name, files, ...more });
  github.emulator.addCollaborator({ repo: fullName, login: 'mona', permission: 'write' });
  await github.emulator.idle();
  github.received.splice(0);
  const path = `/repos/${fullName}`;
  const put = async (branch: string, file: string, text: string) => {
    const old = await github.call(token, `GET ${path}/contents/${file}?ref=${branch}`);
    const content = Buffer.from(text).toString('base64');
    const sha = old.status === 200 ? { sha: old.body.sha } : {};
    const change = { message: `Change ${file}`, content, branch, ...sha };
    await github.call(token, `PUT ${path}/contents/${file}`, change);
  };
  return {
    fullName,
    path,
    put,
    async branch(branch, changed) {
      const main = await github.call(token, `GET ${path}/git/ref/heads/main`);
      const ref = { ref: `refs/heads/${branch}`, sha: main.body.object.sha };
      await github.call(token, `POST ${path}/git/refs`, ref);
      for (const [file, text] of Object.entries(changed)) await put(branch, file, text);
    },
    open: (head, body = '', options = {}) =>
      github.call(token, `POST ${path}/pulls`, {
        title: `Merge ${head}`,
        head,
        base: 'main',
        body,
        ...options,
      }),
  };
}
