import { ACCOUNT, REGION } from '../lib/names.ts';
import { readConfiguration, shownConfiguration, type VendorEndpoints } from './credential-providers.ts';
import { notFound, validation } from './errors.ts';
import type { Members } from './members.ts';
import type { CredentialProvider } from './oauth-client.ts';
import { callbackUrl, type Operation, type OperationContext } from './operations.ts';
import { add, find, newCallbackId, remove, replace, type ApiKeyProvider, type Workload } from './registry.ts';

export interface ControlContext extends OperationContext {
  /** The endpoints of the vendors whose configuration does not name them. */
  readonly vendors: Readonly<Record<string, VendorEndpoints>>;
}

const WORKLOAD = 'Workload identity';
const PROVIDER = 'Credential provider';
const VAULT = 'default';
const PAGE = 20;

/** The operations of the control plane. What they register lasts until the stack stops. */
export const CONTROL_OPERATIONS: Readonly<Record<string, Operation<ControlContext>>> = {
  CreateWorkloadIdentity: ({ registry, now }, members) => {
    const workload = { ...workloadIn(members), createdAt: now(), updatedAt: now() };
    add(registry.workloads, workload);
    return shortWorkload(workload);
  },
  GetWorkloadIdentity: ({ registry }, members) =>
    shownWorkload(find(registry.workloads, members.text('name'), WORKLOAD)),
  UpdateWorkloadIdentity: ({ registry, now }, members) => {
    const before = find(registry.workloads, members.text('name'), WORKLOAD);
    const workload = { ...before, ...workloadIn(members), updatedAt: now() };
    replace(registry.workloads, workload, WORKLOAD);
    return shownWorkload(workload);
  },
  DeleteWorkloadIdentity: ({ registry }, members) => {
    remove(registry.workloads, members.text('name'), WORKLOAD);
    return {};
  },
  ListWorkloadIdentities: ({ registry }, members) => {
    const { shown, next } = pageOf(registry.workloads, members);
    const workloadIdentities = shown.map(({ name }) => ({ name, workloadIdentityArn: workloadArn(name) }));
    return { workloadIdentities, ...next };
  },
  CreateOauth2CredentialProvider: async (context, members) => {
    const now = context.now();
    const created = { ...(await providerIn(context, members)), callbackId: newCallbackId() };
    const provider = { ...created, createdAt: now, updatedAt: now };
    add(context.registry.credentialProviders, provider);
    const {
      credentialProviderVendor: _,
      createdTime: _created,
      lastUpdatedTime: _updated,
      ...answer
    } = shownProvider(context, provider);
    return answer;
  },
  GetOauth2CredentialProvider: (context, members) =>
    shownProvider(context, find(context.registry.credentialProviders, members.text('name'), PROVIDER)),
  UpdateOauth2CredentialProvider: async (context, members) => {
    const { credentialProviders } = context.registry;
    const before = find(credentialProviders, members.text('name'), PROVIDER);
    const { callbackId, createdAt = 0 } = before;
    const given = await providerIn(context, members);
    const provider = { ...given, callbackId, createdAt, updatedAt: context.now() };
    replace(credentialProviders, provider, PROVIDER);
    return shownProvider(context, provider);
  },
  DeleteOauth2CredentialProvider: ({ registry }, members) => {
    remove(registry.credentialProviders, members.text('name'), PROVIDER);
    return {};
  },
  ListOauth2CredentialProviders: ({ registry }, members) => {
    const { shown, next } = pageOf(registry.credentialProviders, members);
    const credentialProviders = shown.map((provider) => ({
      name: provider.name,
      credentialProviderVendor: provider.vendor ?? 'GithubOauth2',
      credentialProviderArn: providerArn('oauth2', provider.name),
      ...timesOf(provider),
    }));
    return { credentialProviders, ...next };
  },
  CreateApiKeyCredentialProvider: ({ registry, now }, members) => {
    const apiKey = members.optionalText('apiKey');
    if (members.optionalText('apiKeySecretSource') === 'EXTERNAL' || apiKey === undefined)
      throw validation('This stand-in has no Secrets Manager: give it the apiKey itself', 'apiKey');
    const provider = { name: members.text('name'), apiKey, createdAt: now() };
    add(registry.apiKeys, provider);
    return shortKeyProvider(provider);
  },
  GetApiKeyCredentialProvider: ({ registry }, members) => {
    const provider = find(registry.apiKeys, members.text('name'), PROVIDER);
    return { ...shortKeyProvider(provider), ...timesOf(provider) };
  },
  DeleteApiKeyCredentialProvider: ({ registry }, members) => {
    remove(registry.apiKeys, members.text('name'), PROVIDER);
    return {};
  },
  ListApiKeyCredentialProviders: ({ registry }, members) => {
    const { shown, next } = pageOf(registry.apiKeys, members);
    const credentialProviders = shown.map((provider) => ({
      name: provider.name,
      credentialProviderArn: providerArn('apikey', provider.name),
      ...timesOf(provider),
    }));
    return { credentialProviders, ...next };
  },
  GetTokenVault: (_, members) => {
    const tokenVaultId = members.optionalText('tokenVaultId') ?? VAULT;
    if (tokenVaultId !== VAULT) throw notFound(`Token vault ${tokenVaultId} does not exist`);
    return { tokenVaultId, kmsConfiguration: { keyType: 'ServiceManagedKey' }, lastModifiedDate: 0 };
  },
};

function workloadIn(members: Members): Workload {
  return {
    name: members.text('name'),
    allowedResourceOauth2ReturnUrls: members.texts('allowedResourceOauth2ReturnUrls'),
  };
}

async function providerIn(
  { vendors }: ControlContext,
  members: Members,
): Promise<Omit<CredentialProvider, 'callbackId'>> {
  const configuration = members.union('oauth2ProviderConfigInput');
  const given = await readConfiguration(members.text('credentialProviderVendor'), configuration, vendors);
  return { name: members.text('name'), ...given };
}

/** A page of a list by its names; the token for the next one is the last name. */
function pageOf<T extends { readonly name: string }>(
  list: readonly T[],
  members: Members,
): { readonly shown: readonly T[]; readonly next: { readonly nextToken?: string } } {
  const after = Buffer.from(members.optionalText('nextToken') ?? '', 'base64url').toString('utf8');
  const sorted = [...list].sort((a, b) => (a.name < b.name ? -1 : 1)).filter(({ name }) => name > after);
  const shown = sorted.slice(0, members.number('maxResults') ?? PAGE);
  const last = shown.at(-1);
  const hasMore = last !== undefined && shown.length < sorted.length;
  return { shown, next: hasMore ? { nextToken: Buffer.from(last.name).toString('base64url') } : {} };
}

function shortWorkload({ name, allowedResourceOauth2ReturnUrls }: Workload): object {
  return { name, workloadIdentityArn: workloadArn(name), allowedResourceOauth2ReturnUrls };
}

function shownWorkload(workload: Workload): object {
  return { ...shortWorkload(workload), ...timesOf(workload) };
}

function shownProvider(
  context: ControlContext,
  provider: CredentialProvider,
): Readonly<Record<string, unknown>> {
  const { name, vendor = 'GithubOauth2', status = 'READY' } = provider;
  return {
    name,
    credentialProviderArn: providerArn('oauth2', name),
    credentialProviderVendor: vendor,
    clientSecretArn: secretArn(name),
    clientSecretSource: 'MANAGED',
    callbackUrl: callbackUrl(context, provider),
    oauth2ProviderConfigOutput: shownConfiguration(provider),
    status,
    ...timesOf(provider),
  };
}

function shortKeyProvider({ name }: ApiKeyProvider): object {
  return {
    name,
    credentialProviderArn: providerArn('apikey', name),
    apiKeySecretArn: secretArn(name),
    apiKeySecretSource: 'MANAGED',
  };
}

/** Timestamps are in seconds. */
function timesOf({
  createdAt = 0,
  updatedAt = createdAt,
}: {
  readonly createdAt?: number;
  readonly updatedAt?: number;
}): object {
  return { createdTime: createdAt / 1000, lastUpdatedTime: updatedAt / 1000 };
}

function workloadArn(name: string): string {
  return `arn:aws:bedrock-agentcore:${REGION}:${ACCOUNT}:workload-identity-directory/default/workload-identity/${name}`;
}

/** With `acps`, as the service's own model asks for. */
function providerArn(kind: 'oauth2' | 'apikey', name: string): string {
  return `arn:aws:acps:${REGION}:${ACCOUNT}:token-vault/${VAULT}/${kind}credentialprovider/${name}`;
}

function secretArn(name: string): object {
  return {
    secretArn: `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:bedrock-agentcore-identity-${name}`,
  };
}
