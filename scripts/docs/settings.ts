import { z } from 'zod';
import { defaultSettings, settingsSchema } from '../../src/services/settings/schema.ts';

interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly maxItems?: number;
  readonly items?: JsonSchema;
  readonly additionalProperties?: JsonSchema | boolean;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
}

/** `docs/settings.md`: every key of `.github/specwright.yml` with its type, bounds, default and meaning. */
export function settingsPage(): string {
  const schema = z.toJSONSchema(settingsSchema) as JsonSchema;
  return `# Settings of a repository

Made by \`npm run docs\` from \`src/services/settings/schema.ts\`.

A repository sets them in \`.github/specwright.yml\` on its default branch; an organisation in the same file of its
\`.github\` repository; the installation's defaults lie below both. The nearer level wins, key by key (also inside
\`limits\`); \`protectedPaths\` add up instead. A spec keeps the settings with which it began.

An invalid file sets nothing, and no spec starts on it: the comment on the issue names each key and what is wrong.
Unknown keys are errors, so that a misspelt one is noticed. YAML aliases are not supported.

| key | value | default | meaning |
| --- | --- | --- | --- |
${rows(schema, defaultSettings, '').join('\n')}

\`\`\`yaml
# .github/specwright.yml
label: spec
verify: npm test
protectedPaths:
  - infra/**
limits:
  files: 50
\`\`\`
`;
}

function rows(schema: JsonSchema, defaults: object, prefix: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, part]) => {
    const value: unknown = (defaults as Record<string, unknown>)[key];
    if (part.properties) return rows(part, value as object, `${prefix}${key}.`);
    return [
      `| \`${prefix}${key}\` | ${kindOf(part)} | \`${JSON.stringify(value)}\` | ${part.description ?? ''} |`,
    ];
  });
}

function kindOf(schema: JsonSchema): string {
  if (schema.anyOf) return schema.anyOf.map(kindOf).join(' or ');
  if (schema.enum) return schema.enum.map((value) => `\`${String(value)}\``).join(' or ');
  switch (schema.type) {
    case 'integer':
      return `whole number, ${schema.minimum}–${schema.maximum}`;
    case 'number':
      return `number, ${schema.minimum}–${schema.maximum}`;
    case 'boolean':
      return '`true` or `false`';
    case 'array':
      return `list of up to ${schema.maxItems}`;
    case 'object':
      return `${kindOf(schema.additionalProperties as JsonSchema)}, by phase`;
    case 'null':
      return '`null`';
    default:
      return `text, up to ${schema.maxLength ?? '?'} characters`;
  }
}
