/** Text that is safe in HTML; only `html` and `raw` make it. */
export interface Html {
  readonly safe: string;
}

/** Marks text as safe HTML; only for what this folder has built itself. */
export function raw(safe: string): Html {
  return { safe };
}

/** Escapes text for HTML content and quoted attributes. */
export function escapeText(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

type Value = Html | string | number | null | undefined | false | readonly Html[];

function render(value: Value): string {
  if (value === null || value === undefined || value === false) return '';
  if (Array.isArray(value)) return value.map((one: Html) => one.safe).join('');
  return typeof value === 'object' ? (value as Html).safe : escapeText(String(value));
}

/** A template whose values are escaped unless they are HTML already; nothing is printed for null, undefined and false. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return raw(
    strings.reduce(
      (text, part, index) => text + part + (index < values.length ? render(values[index]) : ''),
      '',
    ),
  );
}

/** A path with each of its segments encoded. */
export function link(...segments: readonly (string | number)[]): string {
  return `/${segments.map((segment) => String(segment).split('/').map(encodeURIComponent).join('/')).join('/')}`;
}
