import type { ModelApi } from '../../agent/driver.ts';
import { commandFor } from './place.ts';

const names: Readonly<Record<ModelApi, string>> = {
  anthropic: 'Anthropic',
  openai: 'OpenAI',
  bedrock: 'Amazon Bedrock',
  vertex: 'Google Vertex AI',
};

/** Says that nobody has a credential for any of `apis`, and where the operator adds one. */
export function whyMissing(
  { installationId }: { installationId: number },
  apis: readonly ModelApi[],
  subscriptionOnly: boolean,
): string {
  const wanted = new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(apis.map((api) => names[api]));
  const unused = subscriptionOnly
    ? ' (There is the token of a Claude subscription, which this deployment does not use: ALLOW_CLAUDE_SUBSCRIPTION is off.)'
    : '';
  const command = commandFor(apis[0]!, { scope: 'installation', id: installationId });
  return `No model can be asked: neither the person who asked, nor this installation, nor this deployment has a credential for ${wanted}.${unused} The operator adds one: \`${command}\``;
}
