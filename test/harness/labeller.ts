import { randomUUID } from 'node:crypto';
import type { DemoWorld } from '../../src/emulator/seed.ts';
import type { Desk } from './desk.ts';

export interface Labeller {
  /** How the newest label was taken. */
  labelled(): ReturnType<Desk['verdict']>;
  /** What people see on an issue: everything but the status comment, which only a spec has. */
  seen(issue: number): Promise<{ labels: string[]; reactions: string[]; notices: string[] }>;
  /** A role in the repository for somebody who has done nothing there yet. */
  newcomer(login: string, permission: 'read' | 'triage' | 'write' | null): DemoWorld['people']['reader'];
  /** GitHub lets nobody without triage set labels; an App or an old permission may lie behind such an event. */
  labelAs(issue: number, login: string, over?: Record<string, unknown>): Promise<void>;
  /** The same, and does not wait for what follows. @throws Error when the App does not take the webhook. */
  post(issue: number, login: string, over?: Record<string, unknown>): Promise<void>;
}

/** Sets the trigger label in the name of anybody, by a webhook of its own. */
export function labellerAt(desk: Desk): Labeller {
  const post: Labeller['post'] = async (issue, login, over = {}) => {
    await markSilently(desk, issue);
    const sent = desk.github.deliveries().findLast((one) => one.event === 'issues')!;
    const id = login.length * 1000 + login.charCodeAt(0);
    const body = {
      ...sent.payload,
      action: 'labeled',
      label: { name: 'spec' },
      issue: {
        ...(sent.payload.issue as object),
        number: issue,
        state: 'open',
        title: 'T',
        body: '',
        labels: [],
      },
      sender: { id, login, type: 'User' },
      ...over,
    };
    const guid = randomUUID();
    const status = await desk.github.sendWebhook({ appId: desk.world.app.id, event: 'issues', body, guid });
    if (status !== 202) throw new Error(`the webhook was answered ${status}`);
  };
  return {
    labelled: () => desk.verdict('issues', 'labeled'),
    async seen(issue) {
      const { labels, reactions } = await desk.issue(issue);
      const notices = await desk.notices(issue);
      return { labels, reactions: reactions.map(({ content }) => content), notices };
    },
    newcomer(login, permission) {
      const person = desk.github.createUser({ login });
      if (permission) desk.github.addCollaborator({ repo: desk.world.repo.fullName, login, permission });
      return person;
    },
    async labelAs(issue, login, over) {
      await post(issue, login, over);
      await desk.settle();
    },
    post,
  };
}

/** The label is on the issue, and of that no webhook comes. */
async function markSilently(desk: Desk, issue: number): Promise<void> {
  const { hooks } = desk.github;
  hooks.beforeSend = () => 'drop';
  await desk.api('POST', `${desk.path}/issues/${issue}/labels`, { labels: ['spec'] });
  await desk.github.idle();
  delete hooks.beforeSend;
}
