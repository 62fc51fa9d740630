// Judges a value by a schema of GitHub's description, strictly: a field that the schema does not name is wrong, too,
// though few of GitHub's schemas forbid it. Knows the keywords that scripts/openapi/trim.ts lets through.

export type Schema = Readonly<Record<string, unknown>>;
type Schemas = Readonly<Record<string, Schema>>;
/** Schemas without alternatives that all hold at once. */
type Together = readonly Schema[];

export interface Walker {
  /** What is wrong with a value, as `path: problem`; `[]` stands for any entry of a list. */
  check(value: unknown, schema: Schema, path?: string): string[];
}

/** Makes a judge for schemas that refer to one another by name; one for parts of values misses no field. */
export function createWalker(schemas: Schemas, options: { readonly parts?: boolean } = {}): Walker {
  const known = new WeakMap<Schema, readonly Together[]>();
  const merged = new WeakMap<Together, Map<string, Schema>>();

  /** A schema as a list of alternatives, each without any. */
  function alternatives(schema: Schema): readonly Together[] {
    const found = known.get(schema);
    if (found) return found;
    const all = expand(schema);
    known.set(schema, all);
    return all;
  }

  function expand(schema: Schema): readonly Together[] {
    if (typeof schema.$ref === 'string') {
      const target = schemas[schema.$ref];
      if (!target) throw new Error(`no schema ${schema.$ref}`);
      return alternatives(target);
    }
    const { allOf, oneOf, anyOf, ...own } = schema as Record<string, Schema[] | undefined>;
    let all: readonly Together[] = [[own]];
    for (const part of allOf ?? []) all = cross(all, alternatives(part));
    for (const choice of [oneOf, anyOf]) if (choice) all = cross(all, choice.flatMap(alternatives));
    return all;
  }

  function check(value: unknown, schema: Schema, path = ''): string[] {
    let best: string[] | null = null;
    for (const together of alternatives(schema)) {
      const problems = judge(value, together, path);
      if (problems.length === 0) return problems;
      if (best === null || problems.length < best.length) best = problems;
    }
    return best ?? [];
  }

  function judge(value: unknown, together: Together, path: string): string[] {
    if (value === null) {
      const allowed = together.some((one) => one.nullable === true || listOf(one.enum).includes(null));
      const anything = together.every((one) => one.type === undefined && one.properties === undefined);
      return allowed || anything ? [] : [`${path}: null`];
    }
    const wrong = together.flatMap((one) => simple(value, one).map((problem) => `${path}: ${problem}`));
    if (wrong.length > 0) return wrong;
    if (Array.isArray(value)) return entries(value, together, path);
    return typeof value === 'object' ? fields(value as Schema, together, path) : [];
  }

  function entries(value: readonly unknown[], together: Together, path: string): string[] {
    const items = together.flatMap((one) => (one.items ? [one.items as Schema] : []));
    const problems = value.flatMap((entry) => items.flatMap((schema) => check(entry, schema, `${path}[]`)));
    return [...new Set(problems)];
  }

  function fields(value: Schema, together: Together, path: string): string[] {
    const required = options.parts ? [] : together.flatMap((one) => listOf(one.required));
    const missing = required.filter((name) => value[String(name)] === undefined);
    const problems = [...new Set(missing)].map((name) => `${path}.${String(name)}: missing`);
    const free = together.every((one) => !one.properties && one.additionalProperties === undefined);
    if (free) return problems;
    for (const [name, entry] of Object.entries(value)) {
      if (entry === undefined) continue;
      const schema = fieldOf(together, name);
      if (schema) problems.push(...check(entry, schema, `${path}.${name}`));
      else problems.push(`${path}.${name}: not documented`);
    }
    return problems;
  }

  function fieldOf(together: Together, name: string): Schema | null {
    const ready = merged.get(together)?.get(name);
    if (ready) return ready;
    const named = together.flatMap((one) => {
      const schema = (one.properties as Schemas | undefined)?.[name];
      return schema && Object.hasOwn(one.properties as object, name) ? [schema] : [];
    });
    const found = named.length > 0 ? named : together.flatMap(extraOf);
    if (found.length === 0) return null;
    const schema = found.length === 1 ? (found[0] as Schema) : { allOf: found };
    if (!merged.has(together)) merged.set(together, new Map());
    merged.get(together)?.set(name, schema);
    return schema;
  }

  return { check };
}

function cross(left: readonly Together[], right: readonly Together[]): readonly Together[] {
  return left.flatMap((one) => right.map((other) => [...one, ...other]));
}

/** What a schema says of fields that it does not name. */
function extraOf({ additionalProperties: extra }: Schema): Schema[] {
  if (extra === true) return [{}];
  return typeof extra === 'object' && extra !== null ? [extra as Schema] : [];
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

const TYPES: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === 'string',
  integer: Number.isInteger,
  number: (value) => typeof value === 'number',
  boolean: (value) => typeof value === 'boolean',
  array: Array.isArray,
  object: (value) => typeof value === 'object' && !Array.isArray(value),
};

const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

const FORMATS: Record<string, (value: string) => boolean> = {
  'date-time': (value) => DATE_TIME.test(value) && !Number.isNaN(Date.parse(value)),
  uri: (value) => URL.canParse(value) && !/[{}\s]/.test(value),
  email: (value) => /^[^@\s]+@[^@\s]+$/.test(value),
};

/** What is wrong with a value by itself, without what is in it. */
function simple(value: unknown, schema: Schema): string[] {
  const type = schema.type ?? (schema.properties ? 'object' : undefined);
  if (typeof type === 'string' && !TYPES[type]?.(value)) return [`${kindOf(value)}, not ${type}`];
  const { enum: choices } = schema;
  if (Array.isArray(choices) && !choices.includes(value)) return [`${JSON.stringify(value)} is no choice`];
  if (typeof value === 'string') return text(value, schema);
  if (Array.isArray(value)) return size(value.length, [schema.minItems, schema.maxItems], 'entries');
  return typeof value === 'number' ? size(value, [schema.minimum, schema.maximum], '') : [];
}

function text(value: string, schema: Schema): string[] {
  const fits = FORMATS[String(schema.format)]?.(value) ?? true;
  const matches = typeof schema.pattern !== 'string' || new RegExp(schema.pattern).test(value);
  return [
    ...(fits && matches ? [] : [`${JSON.stringify(value)} is no ${String(schema.format ?? schema.pattern)}`]),
    ...size(value.length, [schema.minLength, schema.maxLength], 'characters'),
  ];
}

function size(value: number, [min, max]: readonly [unknown, unknown], unit: string): string[] {
  const fits = value >= Number(min ?? Number.NEGATIVE_INFINITY) && value <= Number(max ?? Infinity);
  return fits ? [] : [`${value} ${unit} is too few or too many`];
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : typeof value;
}
