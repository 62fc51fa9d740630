import { alteredLicenceHeaders } from './checks/licence-headers.ts';
import type { ChangedText } from './checks/lines.ts';
import { type Finding, type ScannedText, type SecretAllowList, scanSecrets } from './checks/secrets.ts';
import type { Refusal } from './diff-gate.ts';

interface TextsToJudge {
  readonly texts: readonly ChangedText[];
  /** Of the commits that would be published with the change. */
  readonly messages: readonly { readonly sha: string; readonly message: string }[];
  /** Lines that commits on the way add. */
  readonly history: readonly ScannedText[];
  readonly allow: SecretAllowList;
}

/** What in the lines of a change may not be published: secrets, and licence headers that it takes away or alters. */
export async function judgeTexts({ texts, messages, history, allow }: TextsToJudge): Promise<Refusal[]> {
  const findings = await scanSecrets([...texts.map(scannedFile), ...messages.map(scannedMessage)], allow);
  const known = new Set(findings.map(({ path, rule }) => `${rule} ${path}`));
  const older = (await scanSecrets(history, allow)).filter(({ path, rule }) => !known.has(`${rule} ${path}`));
  return [
    ...[...findings, ...older].map((finding) => ({ path: finding.path, reason: secretSentence(finding) })),
    ...alteredLicenceHeaders(texts).map(({ path, line }) => ({
      path,
      reason: `${JSON.stringify(path)} had a licence header (line ${line}), and the change takes it away or alters it.`,
    })),
  ];
}

function scannedFile({ path, change, movedFrom, added }: ChangedText): ScannedText {
  return { path, lines: added, isNew: change === 'added' && movedFrom === null };
}

function scannedMessage({ sha, message }: { sha: string; message: string }): ScannedText {
  const lines = message.split('\n').map((text, index) => ({ number: index + 1, text }));
  return { path: `commit ${sha.slice(0, 7)}`, lines, isNew: false };
}

/** Says where and by which rule; what was found is for nobody's eyes. */
function secretSentence({ path, line, rule, commit }: Finding): string {
  const how = `(rule ${rule}; \`secretScan\` in the settings can let it pass)`;
  const where = commit === undefined ? '' : `, as commit ${commit.slice(0, 7)} adds it,`;
  if (line === null) return `${JSON.stringify(path)}${where} is a file of a kind that holds secrets ${how}.`;
  return `${JSON.stringify(path)}, line ${line},${where.slice(1)} looks like a secret ${how}.`;
}
