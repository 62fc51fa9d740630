import type { NewRepository } from '../../src/emulator/repositories.ts';
import { type Answer, type EmulatedGithub, startEmulatedGithub } from './emulated-github.ts';

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

/** An emulated GitHub, and who asks it in most tests. */
export interface AskedGithub {
  readonly github: EmulatedGithub;
  /** The App's, for everything that it may do. */
  readonly token: string;
  /** The maintainer's. */
  readonly mona: string;
}

/** Starts an emulated GitHub; whoever starts it closes it. */
export async function startAskedGithub(): Promise<AskedGithub> {
  const github = await startEmulatedGithub();
  return { github, token: await github.token(), mona: github.demo.people.maintainer.token };
}

/** A pull request of a project of its own. */
export interface EmulatedPull {
  readonly project: EmulatedProject;
  /** `/repos/{owner}/{repo}/pulls/{pull_number}`. */
  readonly pull: string;
  /** The SHA of its head. */
  readonly head: string;
}

/** Opens a pull request that changes these files; what is told of that is over. */
export async function openPull(
  { github, token }: Pick<AskedGithub, 'github' | 'token'>,
  files: Record<string, string>,
): Promise<EmulatedPull> {
  const project = await openProject(github, token);
  await project.branch('topic', files);
  const { body } = await project.open('topic');
  await github.emulator.idle();
  github.received.splice(0);
  return { project, pull: `${project.path}/pulls/${String(body.number)}`, head: String(body.head.sha) };
}
