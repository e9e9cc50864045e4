/** The person behind a request, as the load balancer vouches for them. */
export interface User {
  /** The identity provider's subject: 1 to 128 characters, opaque, stable. Never shown, never logged. */
  readonly sub: string;
  /** For pages only, so that people see whose account they are about to connect: name and user name, as far as known. */
  readonly displayName?: string;
  /**
   * The identity provider's own access token, present only where `WORKLOAD_TOKEN_SOURCE` is `jwt`. The load balancer
   * does not sign it: it is passed to AgentCore Identity, which verifies it, and decides nothing here.
   */
  readonly userToken?: string;
}
