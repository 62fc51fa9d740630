import { createVerify, generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import nock from 'nock';
import type { ModelCredential } from '../../src/services/credentials/credential.ts';
import { createTargets, type Target } from '../../src/services/models/targets.ts';
import { isSignedBy } from '../harness/sigv4.ts';

const place = { baseUrl: null, scope: 'installation' } as const;
const body = Buffer.from('{"messages":[]}');
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });

beforeAll(() => nock.disableNetConnect());
afterAll(() => {
  nock.cleanAll();
  nock.enableNetConnect();
  nock.restore();
});

const of = (credential: ModelCredential): Target => createTargets()(credential);
const ask = (target: Target, path: string, headers: Record<string, string> = {}) =>
  target.authorize({ method: 'POST', url: new URL(target.baseUrl + target.pathOf(path)), headers, body });

test("keys go into the header that their provider reads, at the provider's own address", async () => {
  const anthropic = of({ kind: 'anthropic', api: 'anthropic', key: 'sk-ant-1', ...place });
  expect(anthropic.baseUrl).toBe('https://api.anthropic.com');
  expect(await ask(anthropic, '/v1/messages')).toEqual({ 'x-api-key': 'sk-ant-1' });
  const openai = of({
    kind: 'openai',
    api: 'openai',
    key: 'sk-2',
    ...place,
    baseUrl: 'https://models.example',
  });
  expect(openai.baseUrl).toBe('https://models.example');
  expect(await ask(openai, '/v1/responses')).toEqual({ authorization: 'Bearer sk-2' });
});

test('a subscription is named beside the betas that the agent asks for', async () => {
  const target = of({ kind: 'claude-subscription', api: 'anthropic', key: 'oat-1', ...place });
  expect(await ask(target, '/v1/messages', { 'anthropic-beta': 'claude-code-20250219' })).toEqual({
    authorization: 'Bearer oat-1',
    'anthropic-beta': 'claude-code-20250219,oauth-2025-04-20',
  });
});

describe('Bedrock', () => {
  const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
  const credential = {
    kind: 'bedrock',
    api: 'bedrock',
    region: 'eu-central-1',
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey,
    ...place,
  } as const;
  const path = '/model/eu.anthropic.claude-opus-4-5-20251101-v1%3A0/invoke-with-response-stream';

  test.each([undefined, 'session-token'])(
    'gets a signature that AWS works out too (%s)',
    async (sessionToken) => {
      const target = of({ ...credential, ...(sessionToken ? { sessionToken } : {}) });
      expect(target.baseUrl).toBe('https://bedrock-runtime.eu-central-1.amazonaws.com');
      const sent = { 'content-type': 'application/json' };
      const signed = await ask(target, path, sent);
      const headers = { ...sent, host: new URL(target.baseUrl).host, ...signed };
      const request = { method: 'POST', path, headers, body };
      expect(isSignedBy(request, secretAccessKey)).toBe(true);
      expect(isSignedBy({ ...request, body: Buffer.from('{}') }, secretAccessKey)).toBe(false);
      expect(isSignedBy(request, 'another-secret')).toBe(false);
      expect(headers).toMatchObject(sessionToken ? { 'x-amz-security-token': sessionToken } : {});
    },
  );
});

describe('Vertex', () => {
  const serviceAccount = {
    client_email: 'agent@project.iam.gserviceaccount.com',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
  const credential = {
    kind: 'vertex',
    api: 'vertex',
    project: 'our-project',
    region: 'europe-west1',
    serviceAccount,
    ...place,
  } as const;

  test('gets a token of the service account, once for many calls', async () => {
    const asked: string[] = [];
    const token = nock('https://oauth2.googleapis.com')
      .post('/token', (form: Record<string, string>) => asked.push(form.assertion ?? '') > 0)
      .reply(200, { access_token: 'ya29.token', expires_in: 3600, token_type: 'Bearer' });
    const target = of(credential);
    for (const _ of [1, 2]) {
      expect(await ask(target, '/projects/p/locations/l/publishers/anthropic/models/m:rawPredict')).toEqual({
        authorization: 'Bearer ya29.token',
      });
    }
    expect(token.isDone()).toBe(true);
    const [head, claims, signature] = asked[0]!.split('.');
    const verify = createVerify('RSA-SHA256').update(`${head}.${claims}`);
    expect(verify.verify(publicKey, signature!, 'base64url')).toBe(true);
    expect(JSON.parse(Buffer.from(claims!, 'base64url').toString())).toMatchObject({
      iss: serviceAccount.client_email,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    });
  });

  test('is asked in the project of the credential, whatever the sandbox names', () => {
    const target = of(credential);
    expect(target.baseUrl).toBe('https://europe-west1-aiplatform.googleapis.com/v1');
    const model = 'publishers/anthropic/models/claude-opus-4-5@20251101:streamRawPredict';
    const own = `/projects/our-project/locations/europe-west1/${model}`;
    expect(target.pathOf(`/projects/somebody-elses/locations/us-east5/${model}`)).toBe(own);
    expect(target.pathOf(`/v1/projects/somebody-elses/locations/us-east5/${model}`)).toBe(own);
    const global = of({ ...credential, region: 'global' });
    expect(global.baseUrl).toBe('https://aiplatform.googleapis.com/v1');
  });
});
