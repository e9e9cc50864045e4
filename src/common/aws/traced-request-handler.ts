import { NodeHttpHandler } from '@smithy/node-http-handler';
import { handedOn, Work } from '../telemetry/index.js';

/**
 * Names the trace to an AWS service, and counts the attempts. Requests are signed by then, so the signature does not include
 * the headers of the trace, and a proxy may replace them.
 */
export class TracedRequestHandler extends NodeHttpHandler {
  /** Sends a request, with the present place in a trace. */
  override handle(
    ...[request, options]: Parameters<NodeHttpHandler['handle']>
  ): ReturnType<NodeHttpHandler['handle']> {
    Work.current?.countRequest();
    Object.assign(request.headers, handedOn());
    return super.handle(request, options);
  }
}
