/**
 * The parts of AWS that a deployment needs, as the doctor looks at them. Nothing here changes
 * anything, but that an authorization is begun, in nobody's name, which lapses after ten minutes.
 */
export interface Aws {
  caller(): Promise<Caller>;
  /** AgentCore Identity's control plane. */
  workloadIdentity(name: string): Promise<{ readonly returnUrls: readonly string[] }>;
  credentialProvider(name: string): Promise<CredentialProvider>;
  /** AgentCore Identity's data plane, as the agent role uses it; nobody ever opens the address. */
  authorizationUrl(query: AuthorizationQuery): Promise<string | undefined>;
  /** Completes an authorization that does not exist. Resolves when the caller would be allowed to complete one. */
  completion(): Promise<void>;
  bucket(name: string): Promise<Bucket>;
  key(id: string): Promise<Key>;
  /** One word of the model's. Resolves when it has come. */
  model(id: string): Promise<void>;
  /** Milliseconds by which the clocks of the services that answered are ahead of this machine's. */
  readonly clockOffsets: readonly number[];
}

export interface Caller {
  readonly account: string;
  readonly arn: string;
}

export interface CredentialProvider {
  readonly vendor: string;
  readonly status: string | undefined;
  readonly callbackUrl: string | undefined;
  readonly clientId: string | undefined;
}

export interface AuthorizationQuery {
  readonly workload: string;
  readonly provider: string;
  readonly returnUrl: string;
}

export interface Bucket {
  readonly region: string | undefined;
  readonly versioned: boolean;
  readonly closedToThePublic: boolean;
  /** The KMS key that encrypts; undefined when S3's own does. */
  readonly keyId: string | undefined;
}

export interface Key {
  readonly enabled: boolean;
  readonly rotates: boolean;
}

export type AwsFaultKind = 'no credentials' | 'unreachable' | 'denied' | 'absent' | 'refused' | 'failing';

/** A call that came to nothing. */
export class AwsFault extends Error {
  readonly kind: AwsFaultKind;
  /** The IAM action of the call. */
  readonly action: string;
  /** Where it went; undefined when it did not get that far. */
  readonly origin: string | undefined;
  /** The service's own name of the error, or the system's. */
  readonly code: string;

  constructor(
    kind: AwsFaultKind,
    given: {
      readonly action: string;
      readonly origin: string | undefined;
      readonly code: string;
      readonly cause: Error;
    },
  ) {
    super(given.cause.message, { cause: given.cause });
    this.kind = kind;
    this.action = given.action;
    this.origin = given.origin;
    this.code = given.code;
  }
}
