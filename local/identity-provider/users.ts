import { createHash } from 'node:crypto';

/** A user, in the form of an Entra ID tenant. */
export interface TenantUser {
  /** The name with which the user signs in. */
  readonly username: string;
  readonly name: string;
  /** Entra's `sub`: opaque, and different for each application. */
  readonly sub: string;
  /** Entra's object id. */
  readonly oid: string;
}

export const TENANT_ID = '3d7e0c8a-0b5f-4c3e-9a53-6f1d2f8f1c11';

export const USERS: readonly TenantUser[] = [
  user('alice@example.com', 'Alice Arden', 'f2b7d2a0-91f4-4d57-8a0a-0d9a3a8d1a01'),
  user('bob@example.com', 'Bob Baker', 'b8c41b9e-5a76-4a0b-9a7e-2c1f7d9b2b02'),
  user('carol@example.com', 'Carol Castle', 'c1d9e6f3-7f21-4f0d-8b39-5e6a8c7d3c03'),
];

export function claimsOf(tenantUser: TenantUser): Record<string, string> & { readonly sub: string } {
  return {
    sub: tenantUser.sub,
    name: tenantUser.name,
    preferred_username: tenantUser.username,
    email: tenantUser.username,
    oid: tenantUser.oid,
    tid: TENANT_ID,
  };
}

function user(username: string, name: string, oid: string): TenantUser {
  return {
    username,
    name,
    oid,
    sub: createHash('sha256').update(`onbehalf-local|${oid}`).digest('base64url'),
  };
}
