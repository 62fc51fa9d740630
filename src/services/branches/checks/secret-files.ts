/** Names of files that hold secrets whatever is in them. */
const RULES: readonly (readonly [string, RegExp])[] = [
  // The template of such a file is meant for everybody.
  ['dotenv', /^\.env(?:rc)?(?:\.(?!(?:.*\.)?(?:example|sample|template|tmpl|dist|defaults?)$).*)?$/u],
  ['ssh-key', /^(?:ssh_host_)?id_?(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?(?:_key)?$|^ssh_host_\w+_key$/u],
  ['key-store', /\.(?:p12|pfx|jks|keystore|kdbx?|ppk|pkcs12|asc\.key)$/u],
  ['password-file', /^(?:\.netrc|_netrc|\.pgpass|\.my\.cnf|\.htpasswd|\.git-credentials|\.pypirc)$/u],
  ['terraform-state', /\.tfstate(?:\.backup)?$/u],
  ['shell-history', /^\.(?:bash|zsh|sh|psql|mysql|node_repl|python)_history$/u],
];

const PATHS: readonly (readonly [string, RegExp])[] = [
  [
    'cloud-credentials',
    /(?:^|\/)(?:\.aws\/credentials|\.kube\/config|\.docker\/config\.json|\.azure\/\w+\.json)$/u,
  ],
  ['cloud-credentials', /(?:^|\/)gcloud\/(?:application_default_credentials|legacy_credentials\/.*)\.json$/u],
];

/** The kind of secret that a file of this name holds, or null. Letters of either case match. */
export function secretFileRule(path: string): string | null {
  const folded = path.toLowerCase();
  const name = folded.slice(folded.lastIndexOf('/') + 1);
  const found =
    RULES.find(([, pattern]) => pattern.test(name)) ?? PATHS.find(([, pattern]) => pattern.test(folded));
  return found?.[0] ?? null;
}
