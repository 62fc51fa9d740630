/** Where each package manager gets its packages: what belongs to its public registry. */
export const registries = {
  npm: ['*.npmjs.org', '*.yarnpkg.com'],
  pypi: ['pypi.org', 'files.pythonhosted.org'],
  crates: ['index.crates.io', 'static.crates.io', 'crates.io'],
  go: ['proxy.golang.org', 'sum.golang.org'],
  rubygems: ['rubygems.org', 'index.rubygems.org'],
  maven: ['repo.maven.apache.org', 'repo1.maven.org', 'plugins.gradle.org'],
  packagist: ['repo.packagist.org', 'packagist.org'],
  nuget: ['api.nuget.org', 'globalcdn.nuget.org'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type Registry = keyof typeof registries;

export const registryNames = Object.keys(registries) as [Registry, ...Registry[]];

export interface EgressRules {
  readonly registries: readonly Registry[];
  /** Names of hosts: "cdn.example.com", or "*.example.com" for all below it. */
  readonly hosts: readonly string[];
}

/** Sandboxes speak TLS, and nothing else, with whatever is outside. */
const PORT = 443;

/** Whether a sandbox may speak with a host: by its name, never by an address, which could be anybody's tomorrow. */
export function isAllowed(rules: EgressRules, host: string, port: number): boolean {
  if (port !== PORT) return false;
  const name = host.toLowerCase().replace(/\.$/, '');
  const allowed = [...rules.registries.flatMap((registry) => registries[registry]), ...rules.hosts];
  return allowed.some((pattern) => matches(pattern.toLowerCase(), name));
}

function matches(pattern: string, name: string): boolean {
  return pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern;
}
