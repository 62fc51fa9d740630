import type { GitHub } from './client.ts';

/** The App as GitHub knows it. */
export interface AppIdentity {
  readonly name: string;
  readonly slug: string;
  /** What the App asks installations for, by GitHub's names: `contents: write`. */
  readonly permissions: Readonly<Record<string, string>>;
  readonly events: readonly string[];
}

/** Who the App's key belongs to. @throws GitHubError `unauthorized` when the key or the clock is wrong */
export async function readApp(gh: GitHub): Promise<AppIdentity> {
  const { data } = await gh.callAsApp('GET /app', {});
  if (data === null) throw new TypeError('GitHub answered no App');
  const { name, slug = '', permissions, events } = data;
  return { name, slug, permissions: permissions as Record<string, string>, events };
}

/** Where GitHub sends the App's webhooks. */
export interface HookConfig {
  readonly url: string | undefined;
  readonly contentType: string | undefined;
  /** False where GitHub was told not to check the certificate. */
  readonly verifiesCertificate: boolean;
}

export async function readHookConfig(gh: GitHub): Promise<HookConfig> {
  const { data } = await gh.callAsApp('GET /app/hook/config', {});
  return {
    url: data.url || undefined,
    contentType: data.content_type,
    verifiesCertificate: String(data.insecure_ssl ?? '0') === '0',
  };
}
