import type { AgentRoleConfig } from '../../config/index.js';
import { AwsFault } from '../aws.js';
import type { AgentCheck, Patient, SessionBindingCheck } from '../check.js';
import { ok, sh, wrong, type Result } from '../finding.js';

/** The answer of a call, or what an absent resource means. */
async function found<T>(call: Promise<T>, whenAbsent: Result): Promise<T | Result> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof AwsFault && error.kind === 'absent') return whenAbsent;
    throw error;
  }
}

function isResult(value: object): value is Result {
  return 'state' in value;
}

function commandFor(
  operation: 'create-workload-identity' | 'update-workload-identity',
  { config }: Patient<AgentRoleConfig>,
  returnUrls: readonly string[],
): string {
  const { identityRegion, workloadIdentityName: name } = config;
  return sh`aws bedrock-agentcore-control ${operation} --region ${identityRegion} --name ${name} --allowed-resource-oauth2-return-urls ${returnUrls}`;
}

export const workloadIdentity: AgentCheck = {
  subject: 'workload identity',
  needs: [],
  run: async (patient) => {
    const { config, aws } = patient;
    const name = config.workloadIdentityName;
    const answer = await found(
      aws.workloadIdentity(name),
      wrong(
        `there is no ${name} in ${config.identityRegion}`,
        commandFor('create-workload-identity', patient, [config.sessionBindingUrl]),
      ),
    );
    return [isResult(answer) ? answer : ok(name)];
  },
};

/** May browsers come back to where this deployment expects them, to the letter? */
export const returnUrls: AgentCheck = {
  subject: 'return URLs',
  needs: ['workload identity'],
  run: async (patient) => {
    const { config, aws } = patient;
    const allowed = (await aws.workloadIdentity(config.workloadIdentityName)).returnUrls;
    const wanted = config.sessionBindingUrl;
    if (allowed.includes(wanted)) return [ok(wanted)];
    return [
      wrong(
        `${wanted} is not among those of the workload identity (${allowed.join(', ') || 'none'})`,
        commandFor('update-workload-identity', patient, [...allowed, wanted]),
      ),
    ];
  },
};

export const credentialProvider: AgentCheck = {
  subject: 'credential provider',
  needs: [],
  run: async ({ config, aws }) => {
    const { credentialProvider: name } = config.github;
    const of = ['--region', config.identityRegion, '--name', name];
    const client = JSON.stringify({
      githubOauth2ProviderConfig: {
        clientId: 'CLIENT_ID',
        clientSecretSource: 'EXTERNAL',
        clientSecretConfig: { secretId: 'SECRET_NAME', jsonKey: 'clientSecret' },
      },
    });
    const answer = await found(
      aws.credentialProvider(name),
      wrong(
        `there is no ${name} in ${config.identityRegion}`,
        sh`aws bedrock-agentcore-control create-oauth2-credential-provider ${of} --credential-provider-vendor GithubOauth2 --oauth2-provider-config-input ${client}`,
        'The identity stack makes it, and lets the roles read that secret: docs/deploy.md.',
      ),
    );
    if (isResult(answer)) return [answer];
    const { vendor, status } = answer;
    const look = sh`aws bedrock-agentcore-control get-oauth2-credential-provider ${of}`;
    if (vendor !== 'GithubOauth2' && vendor !== 'CustomOauth2')
      return [
        wrong(
          `${name} is of ${vendor}, not of GitHub`,
          look,
          'GITHUB_PROVIDER_NAME must name that of GitHub.',
        ),
      ];
    if (status !== undefined && status !== 'READY') return [wrong(`${name} is ${status}`, look)];
    return [ok(`${name}, ${vendor}`)];
  },
};

/** Begins an authorization as the agent would, and follows it up to the provider's own page. */
export const callbackUrl: AgentCheck = {
  subject: 'callback URL',
  needs: ['return URLs', 'credential provider'],
  run: async ({ config, aws, probes }) => {
    const name = config.github.credentialProvider;
    const { callbackUrl: callback, clientId } = await aws.credentialProvider(name);
    const begun = await aws.authorizationUrl({
      workload: config.workloadIdentityName,
      provider: name,
      returnUrl: config.sessionBindingUrl,
    });
    const first = begun === undefined ? undefined : await probes.get(begun);
    const target = first?.reached === true ? first.location : undefined;
    if (target === undefined || !URL.canParse(target)) {
      return [
        wrong(
          'AgentCore Identity does not lead to the provider',
          sh`aws bedrock-agentcore-control get-oauth2-credential-provider --region ${config.identityRegion} --name ${name}`,
        ),
      ];
    }
    const { searchParams, host } = new URL(target);
    const sent = searchParams.get('redirect_uri') ?? callback ?? '';
    const page = await probes.get(target);
    if (!page.reached || (page.status >= 400 && page.status <= 499)) {
      return [
        wrong(
          `${host} refuses the client ${clientId ?? searchParams.get('client_id') ?? ''} with the callback ${sent}`,
          sh`curl -sS ${target}`,
          `Enter that callback at https://github.com/settings/developers, and compare the client id.`,
        ),
      ];
    }
    return [
      ok(`${sent}; GitHub compares it only for who is signed in there, so compare it with the OAuth app's`),
    ];
  },
};

/** May this caller complete an authorization? The role of session binding needs no more. */
export const completion: SessionBindingCheck = {
  subject: 'completion',
  needs: [],
  run: async ({ aws }) => {
    await aws.completion();
    return [ok('permitted: one that does not exist is refused as such')];
  },
};
