import type { ChangedText, Line } from './lines.ts';

/** Headers of real projects end before this line, even behind a shebang and an encoding. */
const TOP_LINES = 40;

const COMMENT_SIGN =
  /^(?:\/\/+|\/\*+|\*+|#+!?|--+|;+|%+|<!--|<%--|"""|'''|\{-|\(\*|rem\b|dnl\b|@rem\b|\.\.)+\s*/iu;
const LICENCE =
  /^(?:SPDX-(?:License-Identifier|FileCopyrightText|FileContributor)\s*:|(?:portions\s+)?copyright(?!\s*[=:]\s*["'])(?=\s|\(|:|©)|©|\(c\)\s+\S|licen[sc]ed\s+(?:under|to)\b|all rights reserved\b|this (?:source code|file|program|software|library)\b.*\blicen[sc]e)/iu;

/** Files whose licence header the change takes away or alters, with the header's line in the base. */
export function alteredLicenceHeaders(texts: readonly ChangedText[]): { path: string; line: number }[] {
  return texts.flatMap((text) => {
    const line = text.change === 'deleted' ? undefined : firstLost(text);
    return line === undefined ? [] : [{ path: text.path, line: line.number }];
  });
}

/** A header that stands elsewhere in the file now, behind a new first line say, is as good as before. */
function firstLost({ added, removed }: ChangedText): Line | undefined {
  const lines = removed.filter(({ number, text }) => number <= TOP_LINES && isLicenceLine(text));
  if (lines.length === 0) return undefined;
  const kept = new Set(added.map(({ text }) => text.trim()));
  return lines.find(({ text }) => !kept.has(text.trim()));
}

function isLicenceLine(text: string): boolean {
  return LICENCE.test(
    text
      .slice(0, 500)
      .replace(/^\ufeff/u, '')
      .trim()
      .replace(COMMENT_SIGN, ''),
  );
}
