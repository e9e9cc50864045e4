import { createHash } from 'node:crypto';

/** The call that a user approves. The account is undefined where the provider does not say which one a token belongs to. */
export interface ApprovedCall {
  readonly tool: string;
  readonly input: unknown;
  readonly accountId: string | undefined;
}

/** Names one call and no other. Two inputs that differ in the order of their members are the same. */
export function digestOf({ tool, input, accountId }: ApprovedCall): string {
  return createHash('sha256')
    .update(canonicalJson([tool, input, accountId ?? null]))
    .digest('base64url');
}

/** JSON with the members of every object in the order of their names (after RFC 8785). */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
}
