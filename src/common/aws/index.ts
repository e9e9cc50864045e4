export { awsClientOptions, type AwsClientOptions } from './aws-client-options.js';
