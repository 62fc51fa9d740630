import { describe, expect, test } from '@jest/globals';
import { schema as published } from '@octokit/graphql-schema';
import {
  buildSchema,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import { SCHEMA } from '../../src/emulator/graphql/schema.ts';

const whole = buildSchema(published.idl, { assumeValidSDL: true }); // GitHub publishes some fields twice
const ours = buildSchema(SCHEMA);
const own = Object.values(ours.getTypeMap()).filter(({ name }) => !name.startsWith('__'));

/** How one of our types differs from GitHub's of the same name; empty when it is a part of it. */
function differences(type: GraphQLNamedType, theirs: GraphQLNamedType | undefined): string[] {
  if (!theirs || theirs.astNode?.kind !== type.astNode?.kind) return [`${type.name}: no such type`];
  if (isEnumType(type) && isEnumType(theirs)) {
    const names = (one: typeof type) => one.getValues().map((value) => value.name);
    return String(names(type)) === String(names(theirs).toSorted()) ? [] : [`${type.name}: other values`];
  }
  if (isInputObjectType(type) && isInputObjectType(theirs))
    return inputs(type.name, type.getFields(), theirs.getFields());
  if ((isObjectType(type) && isObjectType(theirs)) || (isInterfaceType(type) && isInterfaceType(theirs))) {
    const known = theirs.getInterfaces().map(({ name }) => name);
    const odd = type.getInterfaces().filter(({ name }) => !known.includes(name));
    const fields = Object.values(type.getFields()).flatMap((field) =>
      inField(`${type.name}.${field.name}`, field, theirs.getFields()[field.name]),
    );
    return [...odd.map(({ name }) => `${type.name}: is no ${name}`), ...fields];
  }
  return [];
}

type Inputs = Record<string, GraphQLInputField>;

function inputs(name: string, some: Inputs, theirs: Inputs): string[] {
  const wrong = Object.values(some)
    .filter((one) => {
      const other = theirs[one.name];
      return String(one.type) !== String(other?.type) || one.defaultValue !== other?.defaultValue;
    })
    .map((one) => `${name}.${one.name}: ${String(one.type)} is not ${String(theirs[one.name]?.type)}`);
  const missing = Object.values(theirs).filter((one) => isRequiredInputField(one) && !some[one.name]);
  return [...wrong, ...missing.map((one) => `${name}.${one.name}: required and missing`)];
}

type Field = GraphQLField<unknown, unknown>;

function inField(path: string, field: Field, theirs: Field | undefined): string[] {
  if (!theirs) return [`${path}: no such field`];
  const type = String(field.type) === String(theirs.type) ? [] : [`${path}: ${String(theirs.type)} there`];
  const wrong = field.args.filter((arg) => {
    const other = theirs.args.find((one) => one.name === arg.name);
    return String(arg.type) !== String(other?.type) || arg.defaultValue !== other?.defaultValue;
  });
  const missing = theirs.args.filter(
    (arg) => isRequiredArgument(arg) && !field.args.some(({ name }) => name === arg.name),
  );
  return [...type, ...[...wrong, ...missing].map(({ name }) => `${path}(${name}:): differs`)];
}

describe('the GraphQL schema of the emulator', () => {
  test.each(own.map((type) => [type.name, type] as const))(
    '%s is a part of what GitHub publishes',
    (name, type) => {
      expect(differences(type, whole.getType(name))).toEqual([]);
    },
  );

  test('would not pass with a field, argument, value or type that GitHub does not have', () => {
    const odd = buildSchema(`
      type Query { viewer(at: Int): User!, node(id: ID!): Node, colour: String }
      interface Node { id: String! }
      enum DiffSide { LEFT RIGHT TOP }
      type User implements Node { id: String! }
      type Nobody { id: ID! }
      input MinimizeCommentInput { clientMutationId: Int }
    `);
    const found = ['Query', 'Node', 'DiffSide', 'User', 'Nobody', 'MinimizeCommentInput'].flatMap((name) =>
      differences(odd.getType(name)!, whole.getType(name)),
    );
    expect(found).toEqual([
      'Query.viewer(at:): differs',
      'Query.colour: no such field',
      'Node.id: ID! there',
      'DiffSide: other values',
      'User.id: ID! there',
      'Nobody: no such type',
      'MinimizeCommentInput.clientMutationId: Int is not String',
      'MinimizeCommentInput.classifier: required and missing',
      'MinimizeCommentInput.subjectId: required and missing',
    ]);
  });
});
