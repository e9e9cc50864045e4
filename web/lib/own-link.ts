const CONNECT = '/oauth2/connect';

/** A link to the page before consent, where the value is one: nothing else is offered as a way to consent. */
export function ownLink(value: unknown, ownOrigin: string): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return undefined;
  const { origin, pathname, href } = new URL(value);
  return origin === ownOrigin && pathname === CONNECT ? href : undefined;
}
