import {
  buildSchema,
  type DocumentNode,
  execute,
  GraphQLError,
  type GraphQLSchema,
  parse,
  validate,
} from 'graphql';
import type { Actor } from '../auth.ts';
import { ok, problem, type Reply } from '../reply.ts';
import type { Json, World } from '../state.ts';
import { contextOf } from './context.ts';
import { mutations } from './mutations.ts';
import { queries } from './queries.ts';
import { SCHEMA } from './schema.ts';

/** Makes what answers GraphQL requests: parsed, validated and executed against the emulator's part of GitHub's schema. */
export function createExecutor(): (world: World, actor: Actor, body: Json) => Promise<Reply> {
  const schema = buildSchema(SCHEMA);
  return (world, actor, body) => run(schema, { world, actor, body });
}

interface Request {
  readonly world: World;
  readonly actor: Actor;
  readonly body: Json;
}

async function run(schema: GraphQLSchema, { world, actor, body }: Request): Promise<Reply> {
  const context = contextOf(world, actor);
  if (!context) throw problem(401, 'This endpoint requires you to be authenticated.');
  const read = documentOf(schema, body.query);
  if ('errors' in read) return ok({ errors: read.errors.map(shown) });
  const { data, errors } = await execute({
    schema,
    document: read.document,
    rootValue: { ...queries, ...mutations },
    contextValue: context,
    variableValues: (body.variables ?? {}) as Json,
    operationName: typeof body.operationName === 'string' ? body.operationName : null,
  });
  for (const error of errors ?? []) {
    const cause = error.originalError;
    if (cause && !(cause instanceof GraphQLError)) throw cause; // a bug of the emulator, not an answer of GitHub
  }
  return ok({ ...(data === undefined ? {} : { data }), ...(errors ? { errors: errors.map(shown) } : {}) });
}

function documentOf(
  schema: GraphQLSchema,
  query: unknown,
): { document: DocumentNode } | { errors: readonly GraphQLError[] } {
  if (typeof query !== 'string' || query === '')
    return { errors: [new GraphQLError('A query attribute must be specified and must be a string.')] };
  try {
    const document = parse(query);
    const errors = validate(schema, document);
    return errors.length > 0 ? { errors } : { document };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [error] };
    throw error;
  }
}

/** GitHub puts the kind of an error beside its message. */
function shown(error: GraphQLError): Json {
  const { type } = error.extensions;
  return {
    ...(typeof type === 'string' ? { type } : {}),
    ...(error.path ? { path: error.path } : {}),
    ...(error.locations ? { locations: error.locations } : {}),
    message: error.message,
  };
}
