import type { Doing } from '../issue-actions.ts';
import { invalid } from '../reply.ts';
import { findHunk } from '../review-actions.ts';
import type { Place } from '../review-state.ts';
import type { Json, PullIssue } from '../state.ts';
import { optionalChoice, requiredText } from './body.ts';

function wrong(field: string, message: string): Error {
  return invalid({ resource: 'PullRequestReviewComment', code: 'invalid', field, message });
}

function lineIn(body: Json, field: string): number | null {
  const value = body[field];
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isInteger(value) && value > 0) return value;
  throw wrong(field, `${field} must be a positive number`);
}

/** Where a body wants to hang a comment. */
export function placeIn(body: Json): Place {
  const path = requiredText(body, 'path');
  const side = optionalChoice(body, 'side', ['LEFT', 'RIGHT']) ?? 'RIGHT';
  const file = optionalChoice(body, 'subject_type', ['line', 'file']) === 'file';
  const line = file ? null : lineIn(body, 'line');
  if (line === null && !file) throw wrong('line', 'line must be given');
  const startLine = lineIn(body, 'start_line');
  if (startLine !== null && startLine >= (line ?? 0))
    throw wrong('start_line', 'start_line must precede the end line.');
  const startSide = optionalChoice(body, 'start_side', ['LEFT', 'RIGHT']) ?? null;
  return { path, side, line, startLine, startSide: startLine === null ? null : (startSide ?? side) };
}

/** Asserts that the diff of a pull request shows a place: 422 otherwise. */
export async function requireInDiff(doing: Doing, issue: PullIssue, place: Place): Promise<void> {
  if (await findHunk(doing, issue, place)) return;
  throw wrong('pull_request_review_thread.line', 'pull_request_review_thread.line must be part of the diff');
}
