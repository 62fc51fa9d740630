import { readFileSync } from 'node:fs';
import {
  buildSchema,
  type GraphQLInterfaceType,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isNonNullType,
  isObjectType,
  isUnionType,
  parse,
  validate,
} from 'graphql';

// The package's own entry reads the schema as JSON, and builds it, twice.
const FILE = new URL('../../node_modules/@octokit/graphql-schema/schema.graphql', import.meta.url);

/** GitHub's public GraphQL schema; takes about half a second. */
export function readGithubGraphql(): GraphQLSchema {
  return buildSchema(readFileSync(FILE, 'utf8'), { assumeValid: true });
}

/** What is wrong with a document; an error of syntax is the only one then. */
export function inDocument(schema: GraphQLSchema, document: string): string[] {
  try {
    return validate(schema, parse(document)).map(({ message }) => message);
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** What a smaller schema has that the whole one has not, or has otherwise. */
export function beyond(whole: GraphQLSchema, part: GraphQLSchema): string[] {
  return Object.values(part.getTypeMap())
    .filter(({ name }) => !name.startsWith('__'))
    .flatMap((type) => {
      const same = whole.getType(type.name);
      return same ? inType(same, type) : [`${type.name}: no such type`];
    });
}

function inType(whole: GraphQLNamedType, part: GraphQLNamedType): string[] {
  if (whole.constructor !== part.constructor) return [`${part.name}: of another kind`];
  if (isEnumType(part) && isEnumType(whole)) {
    const unknown = part.getValues().filter(({ name }) => !whole.getValue(name));
    return unknown.map(({ name }) => `${part.name}.${name}: no such value`);
  }
  if (isUnionType(part) && isUnionType(whole)) {
    const known = new Set(whole.getTypes().map(({ name }) => name));
    return part
      .getTypes()
      .flatMap(({ name }) => (known.has(name) ? [] : [`${part.name}: ${name} is not in it`]));
  }
  if (isInputObjectType(part) && isInputObjectType(whole)) {
    return inInputs(part.name, Object.values(whole.getFields()), Object.values(part.getFields()));
  }
  return isComposite(part) && isComposite(whole) ? inFields(whole, part) : [];
}

type Composite = GraphQLObjectType | GraphQLInterfaceType;

function isComposite(type: GraphQLNamedType): type is Composite {
  return isObjectType(type) || isInterfaceType(type);
}

function inFields(whole: Composite, part: Composite): string[] {
  const known = whole.getFields();
  const interfaces = new Set(whole.getInterfaces().map(({ name }) => name));
  const foreign = part.getInterfaces().filter(({ name }) => !interfaces.has(name));
  return [
    ...foreign.map(({ name }) => `${part.name}: is no ${name}`),
    ...Object.values(part.getFields()).flatMap((field) => {
      const same = known[field.name];
      const at = `${part.name}.${field.name}`;
      if (!same) return [`${at}: no such field`];
      const args = inInputs(at, same.args, field.args);
      return String(same.type) === String(field.type)
        ? args
        : [...args, `${at}: ${String(same.type)} in truth`];
    }),
  ];
}

interface Input {
  readonly name: string;
  readonly type: unknown;
  readonly defaultValue: unknown;
}

/** An input may leave out what nobody has to give; what it has must be the same. */
function inInputs(owner: string, whole: readonly Input[], part: readonly Input[]): string[] {
  const given = new Map(part.map((one) => [one.name, one]));
  const left = whole.filter(
    (one) => !given.has(one.name) && isNonNullType(one.type) && one.defaultValue === undefined,
  );
  return [
    ...left.map(({ name }) => `${owner}.${name}: left out, though it has to be given`),
    ...part.flatMap((one) => {
      const same = whole.find(({ name }) => name === one.name);
      if (!same) return [`${owner}.${one.name}: no such input`];
      return String(same.type) === String(one.type)
        ? []
        : [`${owner}.${one.name}: ${String(same.type)} in truth`];
    }),
  ];
}
