import type { Deployment } from './deployment.ts';
import type { ProviderDeployment } from './deployment-parts.ts';
import { oidcEndpoints, signOutUrl } from './oidc.ts';
import { credentialProviderName, namesOf } from './names.ts';

/** Values that CloudFormation knows only after it has created the resources. */
export interface Made {
  readonly albArn: string;
  readonly bucketName: string;
}

/** The environment of each role: the variables of `.env.example` whose values differ from the default. */
export function environmentOf(
  given: Deployment,
  { albArn, bucketName }: Made,
): Readonly<Record<'agent' | 'sessionBinding', Readonly<Record<string, string>>>> {
  const { workloadIdentity, publicUrl } = namesOf(given);
  const signOut = signOutUrl(given);
  const common = {
    ENVIRONMENT: given.environment,
    LOG_LEVEL: given.logLevel,
    AWS_REGION: given.region,
    IDENTITY_AWS_REGION: given.identityRegion ?? given.region,
    PUBLIC_URL: publicUrl,
    ALB_ARN: albArn,
    ALB_ISSUER: oidcEndpoints(given).issuer,
    ALB_CLIENT_ID: given.oidc.clientId,
    WORKLOAD_TOKEN_SOURCE: given.workloadTokenSource,
    S3_BUCKET_NAME: bucketName,
    CALL_DEADLINE_SECONDS: String(given.deadlines.callSeconds),
    ...(signOut !== undefined && { SIGN_OUT_URL: signOut }),
    ...(given.telemetry !== undefined && { OTEL_EXPORTER_OTLP_ENDPOINT: given.telemetry.endpoint }),
  };
  return {
    sessionBinding: {
      ...common,
      ...Object.fromEntries(given.providers.filter(({ endGrants }) => endGrants).flatMap(clientOf)),
    },
    agent: {
      ...common,
      WORKLOAD_IDENTITY_NAME: workloadIdentity,
      ...Object.fromEntries(given.providers.flatMap((provider) => variablesOf(given, provider))),
      INFERENCE_PROFILE_ID: given.model.inferenceProfileId,
      RUN_DEADLINE_SECONDS: String(given.agent.runMinutes * 60),
      RUN_GRACE_SECONDS: String(given.deadlines.graceSeconds),
      MODEL_FIRST_BYTE_SECONDS: String(given.deadlines.modelFirstByteSeconds),
      MODEL_IDLE_SECONDS: String(given.deadlines.modelIdleSeconds),
      ...limitsOf(given),
    },
  };
}

function limitsOf({ limits }: Deployment): Readonly<Record<string, string>> {
  const { requestsPerDay, tokensPerDay } = limits;
  return {
    RUNS_PER_USER: String(limits.runsPerUser),
    RUNS_PER_TASK: String(limits.runsPerTask),
    MODEL_CALLS_PER_RUN: String(limits.modelCallsPerRun),
    MODEL_ANSWER_TOKENS: String(limits.modelAnswerTokens),
    ...(requestsPerDay !== undefined && { REQUESTS_PER_DAY: String(requestsPerDay) }),
    ...(tokensPerDay !== undefined && { TOKENS_PER_DAY: String(tokensPerDay) }),
  };
}

/** The variables with which the agent role offers a provider: src/config/variables.ts. */
function variablesOf(
  given: Deployment,
  { id, apiBase, clientId, endGrants }: ProviderDeployment,
): readonly (readonly [string, string])[] {
  const name = [`${prefixOf(id)}_PROVIDER_NAME`, credentialProviderName(given, id)] as const;
  if (endGrants) return [name, ...clientOf({ id, apiBase, clientId })];
  return apiBase === undefined ? [name] : [name, [`${prefixOf(id)}_API_BASE`, apiBase]];
}

/** The client whose grants session binding can end. Its secret is no plain variable: `agent.stack.ts`. */
function clientOf({
  id,
  apiBase,
  clientId,
}: Pick<ProviderDeployment, 'id' | 'apiBase' | 'clientId'>): readonly (readonly [string, string])[] {
  const client = [`${prefixOf(id)}_CLIENT_ID`, clientId] as const;
  return apiBase === undefined ? [client] : [client, [`${prefixOf(id)}_API_BASE`, apiBase]];
}

/** The first part of the names of a provider's variables. */
export function prefixOf(id: string): string {
  return id.toUpperCase().replaceAll('-', '_');
}
