/** Folders in GitHub's order of precedence. */
const FOLDERS = ['.github/', '', 'docs/'];
const FILE = /^pull_request_template(?:\.(?:md|markdown|txt))?$/iu;
const FOLDER_FILE = /^pull_request_template\/[^/]+\.(?:md|markdown|txt)$/iu;

/**
 * The path of the repository's pull request template among its files, as GitHub would choose it; letters of
 * either case. A folder of templates counts only when it leaves no choice. Null where there is none.
 */
export function findTemplate(paths: readonly string[]): string | null {
  const inFolder = (folder: string, pattern: RegExp) =>
    paths
      .filter((path) => path.toLowerCase().startsWith(folder) && pattern.test(path.slice(folder.length)))
      .sort();
  for (const folder of FOLDERS) {
    const single = inFolder(folder, FILE)[0];
    if (single !== undefined) return single;
  }
  for (const folder of FOLDERS) {
    const several = inFolder(folder, FOLDER_FILE);
    if (several.length === 1) return several[0] ?? null;
  }
  return null;
}

/** A part of our text with the headings of a template under which it belongs. */
export interface Section {
  /** Its heading where the template has none for it; empty for none at all. */
  readonly title: string;
  readonly body: string;
  /** Names in lower case that mean the same in templates. */
  readonly belongsUnder: readonly string[];
}

/**
 * Our sections in the repository's own template: each under the first heading that means the same, behind the
 * template's words, the others at the end under headings of their own. The template's text stays as it is.
 */
export function mergeTemplate(template: string | null, sections: readonly Section[]): string {
  if (template === null || template.trim() === '') return sections.map(withHeading).join('\n\n');
  const lines = closed(template.replace(/\r\n?/gu, '\n').trim()).split('\n');
  const headings = headingsOf(lines);
  const taken = new Map<number, Section[]>();
  const rest: Section[] = [];
  for (const part of sections) {
    const heading = headings.find(({ name }) => part.belongsUnder.some((word) => means(name, word)));
    if (heading) taken.set(heading.end, [...(taken.get(heading.end) ?? []), part]);
    else rest.push(part);
  }
  const merged = lines.flatMap((line, index) => [...insertion(taken.get(index)), line]);
  const last = insertion(taken.get(lines.length));
  return [[...merged, ...last].join('\n').trim(), ...rest.map(withHeading)].join('\n\n');
}

function withHeading(part: Section): string {
  return part.title === '' ? part.body.trim() : `## ${part.title}\n\n${part.body.trim()}`;
}

function insertion(parts: readonly Section[] | undefined): string[] {
  return parts === undefined ? [] : ['', ...parts.map(({ body }) => `${body.trim()}\n`)];
}

/** A heading's plain name and the line before which its own text ends. */
interface Heading {
  readonly name: string;
  readonly end: number;
}

function headingsOf(lines: readonly string[]): Heading[] {
  const at: { name: string; line: number }[] = [];
  for (const { line, index } of shownLines(lines)) {
    const found = /^ {0,3}#{1,6}\s+(.*?)\s*#*\s*$/u.exec(line);
    if (found) at.push({ name: plainName(found[1] ?? ''), line: index });
  }
  return at.map(({ name }, position) => ({ name, end: at[position + 1]?.line ?? lines.length }));
}

function plainName(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s]/gu, ' ')
    .replace(/\s+/gu, ' ')
    .trim();
}

function means(name: string, word: string): boolean {
  // "Type of change" is a list of boxes to tick and not the place to describe one.
  return !/^(?:types?|kinds?|what (?:type|kind))\b/u.test(name) && ` ${name} `.includes(` ${word} `);
}

/** The lines that are neither in a code block nor in an HTML comment. */
function shownLines(lines: readonly string[]): { line: string; index: number }[] {
  const state = newState();
  return lines.flatMap((line, index) => (step(state, line) ? [{ line, index }] : []));
}

/** A template that leaves a comment or a code block open would swallow what stands behind it. */
function closed(template: string): string {
  const state = newState();
  for (const line of template.split('\n')) step(state, line);
  if (state.comment) return `${template}\n-->`;
  return state.fence === null ? template : `${template}\n${state.fence}`;
}

interface State {
  fence: string | null;
  comment: boolean;
}

function newState(): State {
  return { fence: null, comment: false };
}

/** Takes in one line; whether it is shown as ordinary text. */
function step(state: State, line: string): boolean {
  if (state.comment) {
    state.comment = !line.includes('-->') || line.lastIndexOf('<!--') > line.lastIndexOf('-->');
    return false;
  }
  const run = /^ {0,3}(`{3,}|~{3,})/u.exec(line)?.[1];
  if (run !== undefined) {
    if (state.fence === null) state.fence = run;
    else if (run[0] === state.fence[0] && run.length >= state.fence.length) state.fence = null;
    return false;
  }
  if (state.fence !== null) return false;
  state.comment = line.lastIndexOf('<!--') > line.lastIndexOf('-->');
  return true;
}
