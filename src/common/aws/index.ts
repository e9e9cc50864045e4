export { awsClientOptions } from './aws-client-options.js';
