type Json = Record<string, unknown>;

/**
 * The lane of an event: what must be handled in order with it. Issues and pull requests share their numbers, so a
 * comment on a pull request is in that pull request's lane. Ids are numeric: names change.
 */
export function laneOf(payload: Json): string {
  const repository = idOf(payload.repository);
  if (repository !== null) {
    const number = numberOf(payload.issue) ?? numberOf(payload.pull_request);
    return number === null ? `repo:${repository}` : `repo:${repository}#${number}`;
  }
  const installation = idOf(payload.installation);
  return installation === null ? 'misc' : `installation:${installation}`;
}

/** The event's action, if it is one word; anything else could not be stored or compared. */
export function actionOf(payload: Json): string | null {
  const { action } = payload;
  return typeof action === 'string' && /^[\w.-]{1,100}$/.test(action) ? action : null;
}

/** GitHub's id of the installation that the event was sent for. */
export function installationOf(payload: Json): number | null {
  return idOf(payload.installation);
}

function idOf(value: unknown): number | null {
  return positive(value, 'id');
}

function numberOf(value: unknown): number | null {
  return positive(value, 'number');
}

function positive(value: unknown, field: string): number | null {
  if (typeof value !== 'object' || value === null) return null;
  const number = (value as Json)[field];
  return typeof number === 'number' && Number.isSafeInteger(number) && number > 0 ? number : null;
}
