const SHALL = /\bshall(?:\s+not)?\b/iu;
const CONDITION = /^(when|while|if|where)\b/iu;

/**
 * What keeps a requirement from being in EARS form, as the end of a sentence, or null. The forms: "WHEN …, the
 * system SHALL …", the same with WHILE, IF … THEN and WHERE, and the plain "The system SHALL …".
 */
export function earsProblem(text: string): string | null {
  const found = SHALL.exec(text);
  if (!found) return 'has no SHALL';
  const before = text.slice(0, found.index).trim();
  const after = text.slice(found.index + found[0].length).replace(/[\s.]+$/u, '');
  if (after.trim() === '') return 'says nothing behind SHALL';
  if (before === '') return 'does not say who SHALL do it';
  const keyword = CONDITION.exec(before)?.[1];
  if (keyword === undefined) return null;
  const clause = before.slice(keyword.length).trim();
  if (clause.replace(/\b(?:then|the|system)\b|,/giu, '').trim() === '')
    return `has no condition behind ${keyword.toUpperCase()}`;
  // The clause and the one who acts are told apart by a comma or by THEN.
  if (!/,|\bthen\b/iu.test(clause))
    return `does not part its ${keyword.toUpperCase()} clause from the one who SHALL act (a comma is missing)`;
  if (/(?:,|\bthen)$/iu.test(clause)) return 'does not say who SHALL do it';
  return null;
}
