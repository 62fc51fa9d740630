import { z } from 'zod';

/** One line of text. */
export function line(description: string, max = 300) {
  return z.string().trim().min(1).max(max).describe(description);
}

/** Several lines of Markdown. */
export function text(description: string, max = 6000) {
  return z.string().trim().min(1).max(max).describe(description);
}

/** A list of one-line texts, which may be empty. */
export function lines(description: string, max = 40) {
  return z.array(z.string().trim().min(1).max(1000)).max(max).describe(description);
}

export const storyId = z
  .string()
  .regex(/^US-\d{1,3}$/)
  .describe('US-1, US-2, …');
export const requirementId = z
  .string()
  .regex(/^R\d{1,3}$/)
  .describe('R1, R2, …');
export const criterionId = z
  .string()
  .regex(/^R\d{1,3}\.\d{1,3}$/)
  .describe('the id of its requirement, a dot and a number: R1.1');
export const ticketId = z
  .string()
  .regex(/^TKT-\d{1,3}$/)
  .describe('TKT-1, TKT-2, …');
export const taskId = z
  .string()
  .regex(/^TSK-\d{3}$/)
  .describe('TSK-001, TSK-002, …');
export const filePath = z
  .string()
  .min(1)
  .max(400)
  .describe('path relative to the root of the repository, with forward slashes');
