import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { RunRow } from '../../src/db/runs.ts';
import type { SpecRow } from '../../src/db/specs.ts';
import { agentPrograms } from '../harness/agent-programs.ts';
import { agentSubjects } from '../harness/agent-scenarios.ts';
import { canaryOf, findCanaries } from '../harness/canaries.ts';
import { demoModel } from '../harness/demo-model.ts';
import { type Line, openLine } from '../harness/line.ts';
import type { ModelStub } from '../harness/model-api.ts';
import { until } from '../harness/until.ts';

agentPrograms();

/** The model's key: it must be asked with it, and it must be nowhere else. */
const KEY = 'sk-canary-9b1f6d4c2a7e8f3051c6d9e2b7a4f8c0';

let line: Line | undefined;
let api: ModelStub | undefined;
afterEach(async () => {
  await line?.close();
  await api?.close();
});

/** The model is the agent's own choice. */
const settings = (agent: string): string =>
  `agent: ${agent}\nverify: node --test\nlimits:\n  stepMinutes: 5\n`;

describe.each(agentSubjects.map((subject) => [subject.driver, subject] as const))(
  'a labelled issue, with the real %s in an isolated sandbox',
  (name, subject) => {
    test('becomes a merged pull request, and the model key stays outside', async () => {
      api = await subject.startApi({
        play: demoModel(
          'echo "uid of the agent: $(id -u)" && env && cat /proc/1/environ /proc/$PPID/environ',
        ),
      });
      const canaries = [canaryOf('model key', KEY, 10)];
      const placeholder = subject.api === 'anthropic' ? 'ANTHROPIC_AUTH_TOKEN' : 'OPENAI_API_KEY';
      const prefix = subject.api === 'anthropic' ? 'ANTHROPIC' : 'OPENAI';
      line = await openLine({
        env: {
          AGENT: '',
          AGENT_SCRIPT: '',
          AGENT_CLI_DIR: process.env.AGENT_CLI_DIR!,
          [`${prefix}_API_KEY`]: KEY,
          [`${prefix}_BASE_URL`]: api.url,
        },
      });
      const { db } = line.database;
      const repo = `/repos/${line.world.repo.fullName}`;
      await line.api('PUT', `${repo}/contents/.github/specwright.yml`, {
        message: 'settings',
        content: Buffer.from(settings(name)).toString('base64'),
      });
      await line.startHere();
      const issue = await line.request();
      const read = async (): Promise<SpecRow | undefined> =>
        db('specs').where({ issue_number: issue }).first();
      const ended = ['in_review', 'failed', 'cancelled'];
      await until(async () => ended.includes((await read())?.status ?? ''), 240_000);
      const spec = (await read())!;
      expect({ status: spec.status, cause: spec.cause }).toEqual({ status: 'in_review', cause: null });

      const [sandbox] = await db('sandboxes').where({ spec_id: spec.id });
      expect(sandbox).toMatchObject({ provider: 'local', isolated: true });
      const runs: RunRow[] = await db('runs').where({ spec_id: spec.id });
      const drivers = runs.map(({ request }) => (request as { driver?: string }).driver).filter(Boolean);
      expect(new Set(drivers)).toEqual(new Set([name]));

      // The gateway put the real key in the place of the sandbox's.
      const keys = api.calls.map(({ headers }) => headers['x-api-key'] ?? headers.authorization);
      expect(keys.length).toBeGreaterThan(7);
      expect(new Set(keys.map((key) => String(key).replace(/^Bearer /, '')))).toEqual(new Set([KEY]));

      const said = JSON.stringify(api.calls.map(({ body }) => body));
      expect(said).toContain(`${placeholder}=sandbox`);
      expect(said).toContain('SANDBOX_GENERATION=1');
      expect(said).toMatch(/uid of the agent: [1-9]/);
      expect(findCanaries(canaries, said)).toEqual([]);

      await line.api('PUT', `${repo}/pulls/${spec.pull_request_number}/merge`, {});
      await until(async () => (await read())?.status === 'merged', 60_000);
      const state = (await line.github.state()).repos[line.world.repo.fullName]!;
      expect(state.pulls[0]).toMatchObject({ merged: true });
      expect(state.pulls[0]!.body).toContain(`the agent \`${name}\``);

      // It asked for no host beside its model.
      expect(await db('egress_refusals').select('host')).toEqual([]);
      const told = JSON.stringify([await db('run_events'), await db('runs'), await db('spec_events'), state]);
      expect(findCanaries(canaries, told)).toEqual([]);
      expect(findCanaries(canaries, readFileSync(line.logFile))).toEqual([]);
      const types = new Set((await db('run_events').select('type')).map(({ type }) => type));
      expect([...types]).toEqual(
        expect.arrayContaining(['agent.session', 'agent.tool', 'agent.text', 'agent.usage']),
      );
    });
  },
);
