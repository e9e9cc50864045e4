import type { AgentRoleConfig } from '../../config/index.js';
import type { AgentCheck, Patient, SessionBindingCheck } from '../check.js';
import { ok, sh, wrong } from '../finding.js';

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
  run: async ({ config, aws }) => {
    await aws.workloadIdentity(config.workloadIdentityName);
    return [ok(config.workloadIdentityName)];
  },
  absent: (patient) => {
    const { workloadIdentityName: name, identityRegion, sessionBindingUrl } = patient.config;
    return wrong(
      `there is no ${name} in ${identityRegion}`,
      commandFor('create-workload-identity', patient, [sessionBindingUrl]),
    );
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

function lookAt({ config }: Patient<AgentRoleConfig>): string {
  return sh`aws bedrock-agentcore-control get-oauth2-credential-provider ${named(config)}`;
}

function named({ identityRegion, github }: AgentRoleConfig): readonly string[] {
  return ['--region', identityRegion, '--name', github.credentialProvider];
}

export const credentialProvider: AgentCheck = {
  subject: 'credential provider',
  needs: [],
  run: async (patient) => {
    const { credentialProvider: name } = patient.config.github;
    const { vendor, status } = await patient.aws.credentialProvider(name);
    if (vendor !== 'GithubOauth2' && vendor !== 'CustomOauth2') {
      const note = 'GITHUB_PROVIDER_NAME must name that of GitHub.';
      return [wrong(`${name} is of ${vendor}, not of GitHub`, lookAt(patient), note)];
    }
    if (vendor === 'GithubOauth2' && new URL(patient.config.github.apiBase).hostname !== 'api.github.com') {
      const note =
        'GithubOauth2 is github.com: users would consent there, and that token would go to your server.';
      return [
        wrong(`${name} is of ${vendor}, and GITHUB_API_BASE is not of github.com`, lookAt(patient), note),
      ];
    }
    if (status !== undefined && status !== 'READY') return [wrong(`${name} is ${status}`, lookAt(patient))];
    return [ok(`${name}, ${vendor}`)];
  },
  absent: ({ config }) => {
    const client = JSON.stringify({
      githubOauth2ProviderConfig: {
        clientId: 'CLIENT_ID',
        clientSecretSource: 'EXTERNAL',
        clientSecretConfig: { secretId: 'SECRET_NAME', jsonKey: 'clientSecret' },
      },
    });
    return wrong(
      `there is no ${config.github.credentialProvider} in ${config.identityRegion}`,
      sh`aws bedrock-agentcore-control create-oauth2-credential-provider ${named(config)} --credential-provider-vendor GithubOauth2 --oauth2-provider-config-input ${client}`,
      'The identity stack makes it, and lets the roles read that secret: docs/deploy.md.',
    );
  },
};

/** Begins an authorization as the agent would, and follows it up to the provider's own page. */
export const callbackUrl: AgentCheck = {
  subject: 'callback URL',
  needs: ['return URLs', 'credential provider'],
  run: async (patient) => {
    const { config, aws, probes } = patient;
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
      return [wrong('AgentCore Identity does not lead to the provider', lookAt(patient))];
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

/** May this caller complete an authorization? The bucket, which is the same for both roles, is looked at as the agent role. */
export const completion: SessionBindingCheck = {
  subject: 'completion',
  needs: [],
  run: async ({ aws }) => {
    await aws.completion();
    return [ok('permitted: one that does not exist is refused as such')];
  },
};
