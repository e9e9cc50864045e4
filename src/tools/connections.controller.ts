import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Audit } from '../audit/index.js';
import { ApiProblem, jsonSchema } from '../common/openapi/index.js';
import { CurrentUser, type User } from '../identity/sign-in/index.js';
import { Connections, type Connection } from './connections.js';
import { connectionList, type ConnectionView } from './connections.schemas.js';
import { scopeInWords } from './provider.js';
import { ToolRegistry, type ProviderTools } from './tool-registry.js';

/** A user's accounts at the providers. */
@ApiTags('Connections')
@Controller('connections')
export class ConnectionsController {
  readonly #registry: ToolRegistry;
  readonly #connections: Connections;
  readonly #audit: Audit;

  constructor(registry: ToolRegistry, connections: Connections, audit: Audit) {
    this.#registry = registry;
    this.#connections = connections;
    this.#audit = audit;
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
        const known = await this.#connections.read(sub, offered.provider.id);
        return viewOf(offered, known?.connection);
      }),
    );
    this.#audit.record('connections_listed', { user: sub });
    return { connections };
  }
}

function viewOf({ provider, tools }: ProviderTools, connection: Connection | undefined): ConnectionView {
  const { id, label, settingsUrl, scopes } = provider;
  return {
    provider: id,
    label,
    settingsUrl,
    scopes: Object.entries(scopes).map(([scope, text]) => ({ scope, ...scopeInWords(text) })),
    tools: tools.map(({ name, title, effect, access }) => ({
      name,
      title,
      effect,
      scopes: [...access.scopes],
    })),
    ...(connection !== undefined && {
      account: {
        login: connection.account.login,
        scopes: connection.scopes,
        knownAt: new Date(connection.updatedAt).toISOString(),
      },
    }),
  };
}
