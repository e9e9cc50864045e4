import { Controller, Delete, Get, HttpCode, Inject, Param } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import { Audit } from '../audit/index.js';
import { AppError } from '../common/errors/index.js';
import { ApiProblem, jsonSchema } from '../common/openapi/index.js';
import { FLOW_CONFIG, type FlowConfig } from '../config/index.js';
import { CurrentUser, type User } from '../identity/sign-in/index.js';
import { Connections, type Connection } from './connections.js';
import { connectionList, disconnected, ruleParameters, type ConnectionView } from './connections.schemas.js';
import { Disconnection } from './disconnection.js';
import { LastUses, type LastUse } from './last-uses.js';
import { scopeInWords, settingsUrlOf } from './provider.js';
import { current, Rules } from './rules.js';
import { ToolRegistry, type ProviderTools } from './tool-registry.js';

/** The errors of a route that changes a connection. */
const OF_A_CHANGE = [
  'invalid_request',
  'unauthenticated',
  'cross_site_request',
  'not_found',
  'sign_in_throttled',
  'sign_in_keys_unavailable',
  'sessions_unavailable',
  'internal_error',
] as const;

/** A user's accounts at the providers. */
@ApiTags('Connections')
@Controller('connections')
export class ConnectionsController {
  readonly #registry: ToolRegistry;
  readonly #connections: Connections;
  readonly #lastUses: LastUses;
  readonly #disconnection: Disconnection;
  readonly #rules: Rules;
  readonly #audit: Audit;
  readonly #publicUrl: string;

  constructor(
    registry: ToolRegistry,
    connections: Connections,
    lastUses: LastUses,
    disconnection: Disconnection,
    rules: Rules,
    audit: Audit,
    @Inject(FLOW_CONFIG) { publicUrl }: Pick<FlowConfig, 'publicUrl'>,
  ) {
    [this.#registry, this.#connections, this.#lastUses] = [registry, connections, lastUses];
    [this.#disconnection, this.#rules, this.#audit] = [disconnection, rules, audit];
    this.#publicUrl = publicUrl;
  }

  @Get()
  @ApiOperation({
    operationId: 'listConnections',
    summary: 'The providers, and your account at each',
    description:
      'What the tools can do at each provider, what they ask for, and the account that they act as.',
  })
  @ApiResponse({ status: 200, description: 'The providers', schema: jsonSchema(connectionList) })
  @ApiProblem(
    'unauthenticated',
    'sign_in_throttled',
    'sign_in_keys_unavailable',
    'sessions_unavailable',
    'internal_error',
  )
  async list(@CurrentUser() { sub }: User): Promise<{ readonly connections: readonly ConnectionView[] }> {
    const connections = await Promise.all(
      this.#registry.providers().map(async (offered) => {
        const { id } = offered.provider;
        const [known, lastUse] = await Promise.all([
          this.#connections.read(sub, id),
          this.#lastUses.read(sub, id),
        ]);
        return viewOf(offered, known?.connection, lastUse);
      }),
    );
    this.#audit.record('connections_listed', { user: sub });
    return { connections };
  }

  @Delete(':provider')
  @ApiOperation({
    operationId: 'disconnect',
    summary: 'Disconnect your account at a provider',
    description:
      'From now on no tool uses the account, and what you have allowed is withdrawn. Where the answer has a `revocation`, send it on: the provider is asked to end the authorization, and then whether it still takes the token. Each step has a receipt.',
  })
  @ApiResponse({
    status: 200,
    description: 'What was done, and what is left',
    schema: jsonSchema(disconnected),
  })
  @ApiProblem(...OF_A_CHANGE)
  async disconnect(
    @CurrentUser() user: User,
    @Param('provider', { schema: ruleParameters.shape.provider }) id: string,
  ): Promise<z.infer<typeof disconnected>> {
    const { ticket, account, ...done } = await this.#disconnection.disconnect(user, id);
    return {
      ...done,
      ...(account !== undefined && { account }),
      ...(ticket !== undefined && { revocation: { url: `${this.#publicUrl}/oauth2/revocation`, ticket } }),
    };
  }

  @Delete(':provider/rules/:rule')
  @HttpCode(204)
  @ApiOperation({ operationId: 'withdrawRule', summary: 'Withdraw what you have allowed' })
  @ApiResponse({ status: 204, description: 'Withdrawn. Calls like it need an approval again' })
  @ApiProblem(...OF_A_CHANGE)
  async withdraw(
    @CurrentUser() { sub }: User,
    @Param('provider', { schema: ruleParameters.shape.provider }) provider: string,
    @Param('rule', { schema: ruleParameters.shape.rule }) rule: string,
  ): Promise<void> {
    const found = await this.#rules.withdraw(sub, provider, rule);
    if (!found) throw new AppError('not_found', { reason: 'no_such_rule' });
  }
}

function viewOf(
  offered: ProviderTools,
  connection: Connection | undefined,
  lastUse: LastUse | undefined,
): ConnectionView {
  const { provider, tools } = offered;
  const { id, label, scopes } = provider;
  // Once another account is used, it is connected again.
  const disconnected = connection?.account === undefined ? connection?.disconnected : undefined;
  return {
    provider: id,
    label,
    settingsUrl: settingsUrlOf(offered),
    scopes: Object.entries(scopes).map(([scope, text]) => ({ scope, ...scopeInWords(text) })),
    tools: tools.map(({ name, title, effect, access }) => ({
      name,
      title,
      effect,
      scopes: [...access.scopes],
    })),
    rules: current(connection ?? {}).map(({ id: rule, tool, sessionId, within, expiresAt }) => ({
      id: rule,
      tool,
      sessionId,
      within,
      expiresAt: dateOf(expiresAt),
    })),
    ...accountOf(connection, lastUse),
    ...(disconnected !== undefined && { disconnectedAt: dateOf(disconnected.at) }),
  };
}

function accountOf(
  connection: Connection | undefined,
  lastUse: LastUse | undefined,
): Pick<ConnectionView, 'account'> {
  if (connection?.account === undefined) return {};
  const { account, scopes, updatedAt, connectedAt } = connection;
  const isOfThisAccount = lastUse !== undefined && lastUse.at >= (connectedAt ?? 0);
  return {
    account: {
      login: account.login,
      scopes,
      knownAt: dateOf(updatedAt),
      ...(connectedAt !== undefined && { connectedAt: dateOf(connectedAt) }),
      ...(isOfThisAccount && { lastUse: { ...lastUse, at: dateOf(lastUse.at) } }),
    },
  };
}

function dateOf(ms: number): string {
  return new Date(ms).toISOString();
}
