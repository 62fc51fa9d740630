import { afterEach, beforeEach } from '@jest/globals';
import type { Dispatcher } from '../../src/services/inbox/dispatch.ts';
import type { Inbox, InboxOptions } from '../../src/services/inbox/inbox.ts';
import { type FreshDatabase, freshDatabase } from './database.ts';
import { dispatcherOf, startTestInbox } from './inbox.ts';

/** Answers field by field; a wrong field fails the test that reads it. */
type Row = ReturnType<typeof JSON.parse>;

export interface InboxRig {
  /** The database of the test that runs. */
  readonly fresh: Pick<FreshDatabase, 'url' | 'db'>;
  /** An inbox that stops with the test. */
  start(given?: Partial<Dispatcher>, options?: Partial<InboxOptions>): Inbox & { readonly lines: string[] };
  /** A delivery as it is stored. */
  row(guid: string): Promise<Row>;
  /** Whether a delivery is decided. */
  ended(guid: string): Promise<boolean>;
}

/** Gives each test of a file an empty database, and inboxes on it. */
export function inboxRig(): InboxRig {
  const open: { inboxes: Inbox[]; database: FreshDatabase | null } = { inboxes: [], database: null };
  const database = (): FreshDatabase => {
    if (!open.database) throw new Error('no test runs');
    return open.database;
  };
  const row = async (guid: string): Promise<Row> => await database().db('deliveries').where({ guid }).first();
  beforeEach(async () => {
    open.database = await freshDatabase();
  });
  afterEach(async () => {
    for (const inbox of open.inboxes.splice(0)) await inbox.stop();
    await open.database?.drop();
    open.database = null;
  });
  return {
    fresh: {
      get url() {
        return database().url;
      },
      get db() {
        return database().db;
      },
    },
    start(given = {}, options = {}) {
      const inbox = startTestInbox(database(), dispatcherOf(given), options);
      open.inboxes.push(inbox);
      return inbox;
    },
    row,
    ended: async (guid) => (await row(guid)).state !== 'pending',
  };
}
