import { setTimeout as delay } from 'node:timers/promises';
import {
  BedrockAgentCoreClient,
  CompleteResourceTokenAuthCommand,
  GetResourceOauth2TokenCommand,
  GetWorkloadAccessTokenForUserIdCommand,
} from '@aws-sdk/client-bedrock-agentcore';
import {
  BedrockAgentCoreControlClient,
  GetOauth2CredentialProviderCommand,
  GetWorkloadIdentityCommand,
} from '@aws-sdk/client-bedrock-agentcore-control';
import { BedrockRuntimeClient, ConverseStreamCommand } from '@aws-sdk/client-bedrock-runtime';
import { DescribeKeyCommand, GetKeyRotationStatusCommand, KMSClient } from '@aws-sdk/client-kms';
import {
  GetBucketEncryptionCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  HeadBucketCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import {
  AwsFault,
  type AuthorizationQuery,
  type Aws,
  type AwsAddress,
  type AwsFaultKind,
  type Bucket,
  type Caller,
  type CredentialProvider,
  type Key,
} from './aws.js';

const CONNECT_TIMEOUT_MS = 3_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** The limit for a whole call: credentials, retries and the complete answer. */
const CALL_TIMEOUT_MS = 20_000;
/** The user id for the authorization that the doctor begins; no user has this id. */
const NOBODY = 'onbehalf-doctor';
const NO_SESSION = 'urn:ietf:params:oauth:request_uri:onbehalf-doctor';
const INVALID_SESSION = /invalid or expired session/i;
/** The error class of both a refusal by IAM and a rejected session. */
const ACCESS_DENIED = 'AccessDeniedException';
const NO_CREDENTIALS =
  /^(CredentialsProviderError|ExpiredToken|ExpiredTokenException|InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|SignatureDoesNotMatch|TokenRefreshRequired)$/;

/** Observes the addresses of a client's requests, and the clocks of the services that answer. */
class WatchedHandler extends NodeHttpHandler {
  /** The origin of the last request. */
  origin: string | undefined;
  readonly #clockOffsets: number[];

  constructor(clockOffsets: number[]) {
    super({
      connectionTimeout: CONNECT_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      throwOnRequestTimeout: true,
    });
    this.#clockOffsets = clockOffsets;
  }

  override async handle(
    ...[request, options]: Parameters<NodeHttpHandler['handle']>
  ): ReturnType<NodeHttpHandler['handle']> {
    const port = request.port === undefined ? '' : `:${String(request.port)}`;
    this.origin = `${request.protocol}//${request.hostname}${port}`;
    const startedAt = Date.now();
    const answer = await super.handle(request, options);
    const date = Date.parse(answer.response.headers.date ?? '');
    if (!Number.isNaN(date)) this.#clockOffsets.push(date - (startedAt + Date.now()) / 2);
    return answer;
  }
}

/** AWS through its SDK. The SDK's own variables give the credentials and the addresses. */
export class AwsAdapter implements Aws {
  readonly clockOffsets: number[] = [];
  readonly #identity: BedrockAgentCoreClient;
  readonly #control: BedrockAgentCoreControlClient;
  readonly #model: BedrockRuntimeClient;
  readonly #storage: S3Client;
  readonly #keys: KMSClient;
  readonly #accounts: STSClient;
  readonly #answers = new Map<string, Promise<unknown>>();

  constructor({ region, identityRegion, pathStyle }: AwsAddress) {
    const at = (where: string): ClientOptions => ({
      region: where,
      requestHandler: new WatchedHandler(this.clockOffsets),
      maxAttempts: 2,
    });
    this.#identity = new BedrockAgentCoreClient(at(identityRegion));
    this.#control = new BedrockAgentCoreControlClient(at(identityRegion));
    this.#model = new BedrockRuntimeClient(at(region));
    this.#storage = new S3Client({ ...at(region), followRegionRedirects: true, forcePathStyle: pathStyle });
    this.#keys = new KMSClient(at(region));
    this.#accounts = new STSClient(at(region));
  }

  caller(): Promise<Caller> {
    return this.#once('sts:GetCallerIdentity', '', this.#accounts, async () => {
      const { Account, Arn } = await this.#accounts.send(new GetCallerIdentityCommand({}));
      return { account: Account ?? '', arn: Arn ?? '' };
    });
  }

  workloadIdentity(name: string): Promise<{ readonly returnUrls: readonly string[] }> {
    return this.#once('bedrock-agentcore:GetWorkloadIdentity', name, this.#control, async () => {
      const command = new GetWorkloadIdentityCommand({ name });
      const { allowedResourceOauth2ReturnUrls } = await this.#control.send(command);
      return { returnUrls: allowedResourceOauth2ReturnUrls ?? [] };
    });
  }

  credentialProvider(name: string): Promise<CredentialProvider> {
    return this.#once('bedrock-agentcore:GetOauth2CredentialProvider', name, this.#control, async () => {
      const command = new GetOauth2CredentialProviderCommand({ name });
      const answer = await this.#control.send(command);
      const [config] = Object.values(answer.oauth2ProviderConfigOutput ?? {}) as { clientId?: string }[];
      return {
        vendor: answer.credentialProviderVendor ?? '',
        status: answer.status,
        callbackUrl: answer.callbackUrl,
        clientId: config?.clientId,
      };
    });
  }

  authorizationUrl({ workload, provider, returnUrl }: AuthorizationQuery): Promise<string | undefined> {
    return this.#once('bedrock-agentcore:GetResourceOauth2Token', provider, this.#identity, async () => {
      const command = new GetWorkloadAccessTokenForUserIdCommand({ workloadName: workload, userId: NOBODY });
      const { workloadAccessToken } = await this.#once(
        'bedrock-agentcore:GetWorkloadAccessTokenForUserId',
        workload,
        this.#identity,
        () => this.#identity.send(command),
      );
      const { authorizationUrl } = await this.#identity.send(
        new GetResourceOauth2TokenCommand({
          workloadIdentityToken: workloadAccessToken,
          resourceCredentialProviderName: provider,
          scopes: [],
          oauth2Flow: 'USER_FEDERATION',
          resourceOauth2ReturnUrl: returnUrl,
        }),
      );
      return authorizationUrl;
    });
  }

  completion(): Promise<void> {
    return this.#once('bedrock-agentcore:CompleteResourceTokenAuth', '', this.#identity, async () => {
      const command = new CompleteResourceTokenAuthCommand({
        sessionUri: NO_SESSION,
        userIdentifier: { userId: NOBODY },
      });
      await this.#identity.send(command).catch((error: unknown) => {
        // Only a caller with the permission to complete authorizations gets this answer.
        const { name, message } = error as Error;
        if (name !== ACCESS_DENIED || !INVALID_SESSION.test(message)) throw error;
      });
    });
  }

  bucket(name: string): Promise<Bucket> {
    const of = { Bucket: name };
    return this.#once('s3:ListBucket', name, this.#storage, async () => {
      const { BucketRegion } = await this.#storage.send(new HeadBucketCommand(of));
      const [versioning, access, encryption] = await Promise.all([
        this.#once('s3:GetBucketVersioning', name, this.#storage, () =>
          this.#storage.send(new GetBucketVersioningCommand(of)),
        ),
        this.#once('s3:GetBucketPublicAccessBlock', name, this.#storage, () =>
          absentAsUndefined(this.#storage.send(new GetPublicAccessBlockCommand(of))),
        ),
        this.#once('s3:GetEncryptionConfiguration', name, this.#storage, () =>
          this.#storage.send(new GetBucketEncryptionCommand(of)),
        ),
      ]);
      const blocked = access?.PublicAccessBlockConfiguration;
      const [rule] = encryption.ServerSideEncryptionConfiguration?.Rules ?? [];
      return {
        region: BucketRegion,
        versioned: versioning.Status === 'Enabled',
        closedToThePublic:
          [blocked?.BlockPublicAcls, blocked?.BlockPublicPolicy].every((each) => each === true) &&
          [blocked?.IgnorePublicAcls, blocked?.RestrictPublicBuckets].every((each) => each === true),
        keyId: rule?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID,
      };
    });
  }

  key(id: string): Promise<Key> {
    return this.#once('kms:DescribeKey', id, this.#keys, async () => {
      const { KeyMetadata } = await this.#keys.send(new DescribeKeyCommand({ KeyId: id }));
      const enabled = KeyMetadata?.KeyState === 'Enabled';
      // AWS rotates its own keys. The rotation of a disabled key cannot be queried.
      if (!enabled || KeyMetadata.KeyManager !== 'CUSTOMER') return { enabled, rotates: true };
      const { KeyRotationEnabled } = await this.#once('kms:GetKeyRotationStatus', id, this.#keys, () =>
        this.#keys.send(new GetKeyRotationStatusCommand({ KeyId: id })),
      );
      return { enabled, rotates: KeyRotationEnabled === true };
    });
  }

  model(id: string): Promise<void> {
    return this.#once('bedrock:InvokeModelWithResponseStream', id, this.#model, async () => {
      const { stream } = await this.#model.send(
        new ConverseStreamCommand({
          modelId: id,
          messages: [{ role: 'user', content: [{ text: 'Say yes.' }] }],
          inferenceConfig: { maxTokens: 1 },
        }),
      );
      for await (const event of stream ?? []) {
        if (event.messageStop !== undefined) return;
      }
      throw new Error('The stream ended before the answer did');
    });
  }

  /** Makes each call once, and shares its answer among all checks. */
  #once<T>(action: string, of: string, { config }: Client, call: () => Promise<T>): Promise<T> {
    const id = `${action} ${of}`;
    const known = this.#answers.get(id) as Promise<T> | undefined;
    if (known !== undefined) return known;
    const answer = inTime(call()).catch((error: unknown) => {
      throw error instanceof AwsFault
        ? error
        : faultOf(error as Error, action, originOf(config.requestHandler));
    });
    this.#answers.set(id, answer);
    return answer;
  }
}

async function inTime<T>(call: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = delay(CALL_TIMEOUT_MS, undefined, { signal: done.signal }).then(() => {
    throw Object.assign(new Error('It took too long'), { code: 'ETIMEDOUT' });
  });
  // The promise that settles second is ignored.
  late.catch(() => undefined);
  try {
    return await Promise.race([call, late]);
  } finally {
    done.abort();
  }
}

/** The common options of the SDK's clients. */
interface Client {
  readonly config: { readonly requestHandler: unknown };
}

function originOf(handler: unknown): string | undefined {
  return handler instanceof WatchedHandler ? handler.origin : undefined;
}

interface ClientOptions {
  readonly region: string;
  readonly requestHandler: WatchedHandler;
  readonly maxAttempts: number;
}

async function absentAsUndefined<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (statusOf(error as Error) === 404) return undefined;
    throw error;
  }
}

function statusOf(error: Error): number | undefined {
  return (error as { readonly $metadata?: { readonly httpStatusCode?: number } }).$metadata?.httpStatusCode;
}

function faultOf(cause: Error, action: string, origin: string | undefined): AwsFault {
  const code = (cause as NodeJS.ErrnoException).code ?? cause.name;
  return new AwsFault(kindOf(cause, code), { action, origin, code, cause });
}

function kindOf(cause: Error, code: string): AwsFaultKind {
  const status = statusOf(cause);
  if (NO_CREDENTIALS.test(cause.name)) return 'no credentials';
  if (status === undefined) return code === 'Error' ? 'failing' : 'unreachable';
  // KMS reports this with the status 400.
  if (status === 404 || cause.name === 'NotFoundException') return 'absent';
  if (status === 401 || status === 403) return 'denied';
  return status >= 500 || status === 429 ? 'failing' : 'refused';
}
