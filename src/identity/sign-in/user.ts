/** The person behind a request, as the verified token identifies them. */
export interface User {
  /** The identity provider's subject: 1 to 128 characters, opaque, stable. Never shown, never logged. */
  readonly sub: string;
  /**
   * Name and user name, if they are known. They are for pages only, so that people see whose account they are about to
   * connect.
   */
  readonly displayName?: string;
  /**
   * The identity provider's own access token, present only when `WORKLOAD_TOKEN_SOURCE` is `jwt`. The load balancer does not
   * sign it. It is passed to AgentCore Identity, which verifies it, and no decision here depends on it.
   */
  readonly userToken?: string;
}
