import { environmentSchema, type VariableName } from '../../src/config-schema.ts';
import { type Variable, variables } from '../../src/config-variables.ts';
import { wrap } from './wrap.ts';

const HEAD = `# Specwright's settings. Copy this file to .env and fill in what stands uncommented.
# A line that begins with "#" and a name shows a default or an example. An empty value counts as unset.
# Made by "npm run docs" from src/config-variables.ts and src/config-schema.ts.
`;

/** `.env.example`: every variable that the process reads, explained. */
export function environmentExample(): string {
  const names = Object.keys(variables) as VariableName[];
  const groups = [...new Set(names.map((name) => variables[name].group))];
  const parts = groups.map((group) => {
    const members = names.filter((name) => variables[name].group === group);
    return `# --- ${group} ---\n\n${members.map((name) => entry(name, variables[name])).join('\n\n')}\n`;
  });
  return [HEAD, ...parts].join('\n');
}

function entry(name: VariableName, variable: Variable): string {
  const fallback = defaultOf(name);
  const about = fallback === null ? variable.about : `${variable.about} Default: ${fallback}.`;
  const line = `${variable.needed ? '' : '#'}${name}=${variable.example}`;
  return `${wrap(about, '# ')}\n${line}`;
}

/** The default that the schema itself applies, or null. */
function defaultOf(name: VariableName): string | null {
  const value: string | number | undefined = environmentSchema.shape[name].safeParse(undefined).data;
  return value === undefined ? null : String(value);
}
