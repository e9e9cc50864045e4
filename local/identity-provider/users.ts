import { createHash } from 'node:crypto';

/** A user of the identity provider. */
export interface TenantUser {
  /** The name with which the user signs in. */
  readonly username: string;
  readonly name: string;
  /** The subject, in the form of the tenant. */
  readonly sub: string;
  /** The user's object id: a UUID. */
  readonly oid: string;
  readonly groups: readonly string[];
}

/** The products whose claims the identity provider can have. */
export const TENANTS = ['entra', 'cognito', 'okta'] as const;
export type Tenant = (typeof TENANTS)[number];

/** A user as the stack's file has one. */
export interface WrittenUser {
  readonly username: string;
  readonly name: string;
  /** A UUID; made from the username when absent. */
  readonly oid?: string | undefined;
  readonly groups?: readonly string[] | undefined;
}

type Claims = Readonly<Record<string, unknown>>;

export const TENANT_ID = '3d7e0c8a-0b5f-4c3e-9a53-6f1d2f8f1c11';

const WRITTEN: readonly WrittenUser[] = [
  {
    username: 'alice@example.com',
    name: 'Alice Arden',
    oid: 'f2b7d2a0-91f4-4d57-8a0a-0d9a3a8d1a01',
    groups: ['engineers', 'oncall'],
  },
  {
    username: 'bob@example.com',
    name: 'Bob Baker',
    oid: 'b8c41b9e-5a76-4a0b-9a7e-2c1f7d9b2b02',
    groups: ['engineers'],
  },
  { username: 'carol@example.com', name: 'Carol Castle', oid: 'c1d9e6f3-7f21-4f0d-8b39-5e6a8c7d3c03' },
];

/** Entra's `sub` is opaque and different for each application; Cognito's is a UUID; Okta's has 20 letters and digits. */
const SUBJECTS: Readonly<Record<Tenant, (oid: string) => string>> = {
  entra: (oid) => createHash('sha256').update(`onbehalf-local|${oid}`).digest('base64url'),
  cognito: (oid) => oid,
  okta: (oid) => `00u${createHash('sha256').update(oid).digest('hex').slice(0, 17)}`,
};

/** The users of the stack, in the form of an Entra ID tenant. */
export const USERS: readonly TenantUser[] = usersOf('entra', WRITTEN);

/** Users whose identifiers are the same after each start. */
export function usersOf(tenant: Tenant, users: readonly WrittenUser[] = WRITTEN): readonly TenantUser[] {
  return users.map(({ username, name, oid = uuidOf(username), groups = [] }) => {
    return { username, name, oid, sub: SUBJECTS[tenant](oid), groups };
  });
}

/** What the tenant tells of a user, at its userinfo endpoint. */
const CLAIMS: Readonly<Record<Tenant, (user: TenantUser) => Claims>> = {
  entra: ({ name, username, oid, groups }) => ({
    name,
    preferred_username: username,
    email: username,
    oid,
    tid: TENANT_ID,
    // Entra names groups by their object ids.
    groups: groups.map(uuidOf),
  }),
  // Cognito has groups in its tokens only, and no boolean at its userinfo endpoint.
  cognito: ({ name, username, oid }) => ({ name, username: oid, email: username, email_verified: 'true' }),
  okta: ({ name, username, groups }) => ({
    name,
    preferred_username: username,
    email: username,
    email_verified: true,
    locale: 'en_US',
    zoneinfo: 'Europe/Berlin',
    groups,
  }),
};

/** The names of the claims of each tenant, by the scope that asks for them. */
export const CLAIM_NAMES: Readonly<Record<Tenant, Readonly<Record<string, string[]>>>> = {
  entra: {
    openid: ['sub', 'oid', 'tid', 'groups'],
    profile: ['name', 'preferred_username'],
    email: ['email'],
  },
  cognito: { openid: ['sub', 'username'], profile: ['name'], email: ['email', 'email_verified'] },
  okta: {
    openid: ['sub', 'groups'],
    profile: ['name', 'preferred_username', 'locale', 'zoneinfo'],
    email: ['email', 'email_verified'],
  },
};

export function claimsOf(tenant: Tenant, user: TenantUser): Claims & { readonly sub: string } {
  return { ...CLAIMS[tenant](user), sub: user.sub };
}

/** A UUID that stays the same for a text. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(`onbehalf-local|${text}`).digest('hex');
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-a$4-$5');
}
