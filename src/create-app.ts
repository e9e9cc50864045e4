import { randomUUID } from 'node:crypto';
import type { ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  addRequestHooks,
  answerClientError,
  answerFrameworkError,
  RequestsInFlight,
} from './common/http/index.js';
import { JsonLogger } from './common/logging/index.js';
import { startTelemetry } from './common/telemetry/index.js';
import type { LoadedRole } from './roles/load-role.js';

/** Load balancers send up to 64 K of headers; Node's own cap of 16 K would answer some valid users 431. */
const MAXIMUM_HEADERS = 80 * 1024;
const MAXIMUM_BODY = 256 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const HEADERS_TIMEOUT_MS = 5_000;
/** Longer than the load balancer's idle timeout of 60 s: it must be the one to close. */
const KEEP_ALIVE_MS = 75_000;

/**
 * The application of one role, ready to listen.
 * @param further modules beside the role's own
 *
 * @example
 * const role = await loadRole(processEnvironment(), [parrot]);
 * const app = await createApp(role);
 * const { port, host } = role.config.service;
 * await app.listen({ port, host });
 */
export async function createApp(
  { config, root, bodyType }: LoadedRole,
  further: NonNullable<ModuleMetadata['imports']> = [],
): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    bodyLimit: MAXIMUM_BODY,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A shutdown closes the connections after it has waited for the requests in flight.
    forceCloseConnections: true,
    // A HEAD request would run the GET handler: nothing may be bound by one.
    exposeHeadRoutes: false,
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
    genReqId: () => randomUUID(),
    http: {
      maxHeaderSize: MAXIMUM_HEADERS,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
    },
  });
  const { role, environment, logLevel: level, publicUrl } = config.service;
  const stopTelemetry = await startTelemetry(config.telemetry);
  const composed = { ...root, imports: [...(root.imports ?? []), ...further] };
  const app = await NestFactory.create<NestFastifyApplication>(composed, adapter, {
    abortOnError: false,
    bodyParser: false,
    logger: new JsonLogger({ role, environment, level }),
  });
  const fastify = app.getHttpAdapter().getInstance();
  // Other types can be sent by any page without asking (text/plain, forms), so each role takes just the one it needs.
  fastify.removeAllContentTypeParsers();
  app.useBodyParser(bodyType);
  addRequestHooks(fastify, publicUrl, app.get(RequestsInFlight));
  // By then the requests in flight are answered.
  fastify.addHook('onClose', stopTelemetry);
  // Without an explicit exit, a call that hangs would keep the process. A signal does not end process 1 of a container.
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true });
  await app.init();
  return app;
}
