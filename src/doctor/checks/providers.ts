import { providerVariables, type AgentRoleConfig } from '../../config/index.js';
import type { Provider } from '../../tools/index.js';
import type { AgentCheck, CheckContext } from '../check.js';
import { ok, sh, wrong, type Result } from '../finding.js';

type Context = CheckContext<AgentRoleConfig>;

/** The checks of every provider that is offered. Without a provider, the agent has no tools. */
export function providerChecks(
  config: AgentRoleConfig,
  providers: readonly Provider[],
): readonly AgentCheck[] {
  const offered = providers.filter(({ id }) => id in config.providers);
  if (offered.length === 0) return [noProvider(providers)];
  return offered.flatMap((provider) => [credentialProvider(provider), callbackUrl(provider)]);
}

function noProvider(providers: readonly Provider[]): AgentCheck {
  const names = providers.map((provider) => providerVariables(provider).providerName.name);
  return {
    subject: 'credential provider',
    needs: [],
    run: () => [
      wrong('no provider is configured, so the agent has no tools', `export ${names[0] ?? 'NAME'}=VALUE`),
    ],
  };
}

function credentialProvider(provider: Provider): AgentCheck {
  return {
    subject: 'credential provider',
    needs: [],
    run: async (context) => {
      const { credentialProvider: name } = configOf(context, provider);
      const { vendor, status } = await context.aws.credentialProvider(name);
      const fault = vendorFault(context, provider, vendor);
      if (fault !== undefined) return [fault];
      if (status !== undefined && status !== 'READY')
        return [wrong(`${name} is ${status}`, lookAt(context, provider))];
      return [ok(`${name}, ${vendor}`)];
    },
    absent: (context) => {
      const { credentialProvider: name } = configOf(context, provider);
      const [vendor = 'CustomOauth2'] = provider.diagnosis?.vendors ?? [];
      const member = `${vendor.charAt(0).toLowerCase()}${vendor.slice(1)}ProviderConfig`;
      const client = JSON.stringify({
        [member]: {
          clientId: 'CLIENT_ID',
          clientSecretSource: 'EXTERNAL',
          clientSecretConfig: { secretId: 'SECRET_NAME', jsonKey: 'clientSecret' },
        },
      });
      return wrong(
        `there is no ${name} in ${context.config.identity.region}`,
        sh`aws bedrock-agentcore-control create-oauth2-credential-provider ${named(context, provider)} --credential-provider-vendor ${vendor} --oauth2-provider-config-input ${client}`,
        'The identity stack creates it and lets the roles read that secret: docs/deploy.md.',
      );
    },
  };
}

/** Checks that users consent at the same server whose API gets the token. */
function vendorFault(context: Context, provider: Provider, vendor: string): Result | undefined {
  const { diagnosis, label } = provider;
  if (diagnosis === undefined) return undefined;
  const { credentialProvider: name, apiBase } = configOf(context, provider);
  const { providerName, apiBase: baseVariable } = providerVariables(provider);
  if (!diagnosis.vendors.includes(vendor)) {
    const note = `${providerName.name} must name that of ${label}.`;
    return wrong(`${name} is of ${vendor}, not of ${label}`, lookAt(context, provider), note);
  }
  if (vendor !== diagnosis.vendors[0] || new URL(apiBase).hostname === diagnosis.vendorApiHost)
    return undefined;
  const note = `With ${vendor}, users consent at the provider's own site, and that token would go to your server.`;
  return wrong(
    `${name} is of ${vendor}, and ${baseVariable.name} is not ${diagnosis.vendorApiHost}`,
    lookAt(context, provider),
    note,
  );
}

/** Begins an authorization as the agent does, and follows it to the provider's own page. */
function callbackUrl(provider: Provider): AgentCheck {
  return {
    subject: 'callback URL',
    needs: ['return URLs', 'credential provider'],
    run: async (context) => {
      const { config, aws, probes } = context;
      const { credentialProvider: name } = configOf(context, provider);
      const { callbackUrl: callback, clientId } = await aws.credentialProvider(name);
      const begun = await aws.authorizationUrl({
        workload: config.identity.workloadIdentityName,
        provider: name,
        returnUrl: config.identity.sessionBindingUrl,
      });
      const first = begun === undefined ? undefined : await probes.get(begun);
      const target = first?.reached === true ? first.location : undefined;
      if (target === undefined || !URL.canParse(target))
        return [wrong('AgentCore Identity does not lead to the provider', lookAt(context, provider))];
      const { searchParams, host } = new URL(target);
      const sent = searchParams.get('redirect_uri') ?? callback ?? '';
      const page = await probes.get(target);
      if (!page.reached || (page.status >= 400 && page.status <= 499)) {
        const where = provider.diagnosis?.clientsUrl ?? `the settings of ${provider.label}`;
        return [
          wrong(
            `${host} refuses the client ${clientId ?? searchParams.get('client_id') ?? ''} with the callback ${sent}`,
            sh`curl -sS ${target}`,
            `Enter that callback at ${where}, and compare the client id.`,
          ),
        ];
      }
      return [
        ok(
          `${sent}; ${provider.label} checks it only for users who are signed in there, so compare it with the callback of the OAuth client`,
        ),
      ];
    },
  };
}

function configOf({ config }: Context, { id }: Provider): AgentRoleConfig['providers'][string] {
  const own = config.providers[id];
  if (own === undefined) throw new TypeError(`${id} is not offered`);
  return own;
}

function lookAt(context: Context, provider: Provider): string {
  return sh`aws bedrock-agentcore-control get-oauth2-credential-provider ${named(context, provider)}`;
}

function named(context: Context, provider: Provider): readonly string[] {
  const { credentialProvider } = configOf(context, provider);
  return ['--region', context.config.identity.region, '--name', credentialProvider];
}
