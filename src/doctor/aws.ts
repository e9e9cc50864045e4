/** Where the parts of AWS are. */
export interface AwsAddress {
  readonly region: string;
  readonly identityRegion: string;
  /** Whether requests to S3 have the bucket in their path. */
  readonly pathStyle: boolean;
}

/**
 * The parts of AWS that a deployment needs, as the doctor checks them. The checks change nothing, with one exception: they
 * begin an authorization for a user that does not exist. It lapses after ten minutes.
 */
export interface Aws {
  caller(): Promise<Caller>;
  /** AgentCore Identity's control plane. */
  workloadIdentity(name: string): Promise<{ readonly returnUrls: readonly string[] }>;
  credentialProvider(name: string): Promise<CredentialProvider>;
  /** AgentCore Identity's data plane, as the agent role uses it. Nobody opens the authorization URL. */
  authorizationUrl(query: AuthorizationQuery): Promise<string | undefined>;
  /** Tries to complete an authorization that does not exist. Resolves when the caller has the permission to complete one. */
  completion(): Promise<void>;
  bucket(name: string): Promise<Bucket>;
  key(id: string): Promise<Key>;
  /** Asks the model for one word. Resolves when the answer has arrived. */
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
  /** The KMS key that encrypts the bucket; undefined when S3's own key does. */
  readonly keyId: string | undefined;
}

export interface Key {
  readonly enabled: boolean;
  readonly rotates: boolean;
}

export type AwsFaultKind = 'no credentials' | 'unreachable' | 'denied' | 'absent' | 'refused' | 'failing';

/** A call that failed. */
export class AwsFault extends Error {
  readonly kind: AwsFaultKind;
  /** The IAM action of the call. */
  readonly action: string;
  /** The origin that was called; undefined when no request was sent. */
  readonly origin: string | undefined;
  /** The name of the error, from the service or from the system. */
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
