import { createHmac, randomUUID } from 'node:crypto';
import { type Config, WEBHOOK_PATH } from '../../config.ts';
import { type HookConfig, readHookConfig } from '../../github/app.ts';
import type { GitHub } from '../../github/client.ts';
import { listHookDeliveries } from '../../github/deliveries.ts';
import { attention, type Finding, guarded, ok, unknown, wrong } from './finding.ts';

const PING_TIMEOUT_MS = 10_000;

/** Looks at where GitHub sends webhooks, at how the last ones were answered, and sends one of its own. */
export async function checkWebhook(config: Config, gh: GitHub): Promise<Finding[]> {
  const hook = await readHookConfig(gh);
  const page = `${config.github.webUrl}/settings/apps`;
  if (!hook.url)
    return [
      wrong(
        'Webhook',
        'The App has no webhook address, so it never hears of anything.',
        `Enter one in the App's settings at ${page}: ${config.publicUrl ?? 'https://<where this runs>'}${WEBHOOK_PATH}`,
      ),
    ];
  const deliveries = await guarded('Deliveries', async () => [await recent(gh)]);
  return [address(config, hook, hook.url), ...deliveries, await ping(config, hook.url)];
}

function address({ publicUrl, webhookProxyUrl }: Config, hook: HookConfig, url: string): Finding {
  if (hook.contentType !== 'json')
    return wrong(
      'Webhook',
      'It is sent as a form.',
      "Set its content type to application/json in the App's settings.",
    );
  if (url === webhookProxyUrl) return ok('Webhook', `It goes to ${url}, a relay for development.`);
  if (new URL(url).pathname !== WEBHOOK_PATH)
    return wrong(
      'Webhook',
      `It goes to ${url}, where nobody listens.`,
      `Let the address in the App's settings end with ${WEBHOOK_PATH}.`,
    );
  if (publicUrl !== null && url !== `${publicUrl}${WEBHOOK_PATH}`)
    return attention(
      'Webhook',
      `It goes to ${url}, and PUBLIC_URL is ${publicUrl}.`,
      'Set one of them right, unless both lead here.',
    );
  if (!hook.verifiesCertificate)
    return attention(
      'Webhook',
      `It goes to ${url} without a check of the certificate.`,
      "Enable SSL verification in the App's settings.",
    );
  return ok('Webhook', `It goes to ${url}.`);
}

/** What GitHub itself saw, which says more than any question from here. */
async function recent(gh: GitHub): Promise<Finding> {
  const page = await listHookDeliveries(gh, null);
  const attempts = page === 'stale' ? [] : page.items;
  const failed = attempts.filter(({ ok: arrived }) => !arrived);
  if (attempts.length === 0)
    return unknown('Deliveries', 'GitHub has sent none yet, so nothing can be said of them.');
  if (failed.length === 0) return ok('Deliveries', `The last ${attempts.length} that GitHub sent arrived.`);
  const says = `${failed.length} of the last ${attempts.length} that GitHub sent did not arrive (${words(failed[0]!.status)}).`;
  if (attempts[0]!.ok)
    return attention(
      'Deliveries',
      says,
      'The newest did, so nothing is broken now; the App asks GitHub to send the others again.',
    );
  return wrong('Deliveries', says, remedy(failed[0]!.status));
}

function words(status: number): string {
  return status === 0 ? 'nothing answered' : `answered with ${status}`;
}

function remedy(status: number): string {
  if (status === 401)
    return "GitHub signs with another secret than this one: set WEBHOOK_SECRET and the secret in the App's settings to the same value.";
  if (status === 0)
    return 'Check that the address can be reached from the internet, with a certificate that is valid.';
  if (status === 404 || status === 405) return 'Check the address: whatever answers there is not Specwright.';
  return 'The log of the process that answers there has the cause.';
}

/** A webhook as GitHub would send it; the App stores and ignores it. */
async function ping({ webhookSecret, webhookProxyUrl }: Config, url: string): Promise<Finding> {
  const about = 'Way in';
  if (url === webhookProxyUrl)
    return unknown(about, 'Webhooks come through a relay, which is not tried from here.');
  const body = JSON.stringify({ zen: 'Sent by specwright doctor.' });
  const signature = createHmac('sha256', webhookSecret).update(body).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'x-github-event': 'ping',
    'x-github-delivery': randomUUID(),
    'x-hub-signature-256': `sha256=${signature}`,
  };
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(PING_TIMEOUT_MS),
    });
    await answer.body?.cancel();
    if (answer.ok) return ok(about, 'A webhook sent from here arrived, and its signature was accepted.');
    const fix =
      answer.status === 401
        ? 'The process that answers there has another WEBHOOK_SECRET than this one: use one for both.'
        : remedy(answer.status);
    return wrong(about, `A webhook sent from here was answered with ${answer.status}.`, fix);
  } catch (error) {
    const { cause, name } = error as { cause?: { code?: string }; name: string };
    return attention(
      about,
      `A webhook sent from here got no answer (${cause?.code ?? name}).`,
      'Start the App ("npm start"); if it runs, check what stands between it and its address. GitHub may still get through where this machine does not.',
    );
  }
}
