export { awsClientOptions } from './aws-client-options.js';
export { tracedCall } from './traced-call.js';
export { TracedRequestHandler } from './traced-request-handler.js';
