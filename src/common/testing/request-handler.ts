import { NodeHttpHandler } from '@smithy/node-http-handler';

/**
 * The options of an AWS client's handler. The handler resolves them at its first request, so this sends a request that is
 * already aborted.
 */
export async function timeoutsOf(handler: unknown): Promise<object> {
  if (!(handler instanceof NodeHttpHandler)) throw new TypeError('another handler');
  const request = { protocol: 'https:', headers: {} } as Parameters<NodeHttpHandler['handle']>[0];
  await handler.handle(request, { abortSignal: AbortSignal.abort() }).catch(() => undefined);
  return handler.httpHandlerConfigs();
}
