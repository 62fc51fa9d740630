/** Markdown out of text that others wrote. One door, so that callers need not know which file does what. */
export { cleanText, cutText, oneLine, plainTitle, tailText } from './clean.ts';
export { cell, code, defuse, details, fence, inline, link, numberLink } from './escape.ts';
export { prose } from './prose.ts';
export { visibleText } from './visible.ts';
