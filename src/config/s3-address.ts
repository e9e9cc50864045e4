import type { Environment } from './config.types.js';

const HOST_OF_AWS = /(^|\.)(amazonaws\.com(\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)$/;

/**
 * Whether requests to S3 have the bucket in their path. AWS gives each bucket a host name of its own; another S3, at the address
 * in one of the SDK's variables, often has one name only.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
 */
export function usesPathStyle(environment: Environment): boolean {
  const address = environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL ?? '';
  return URL.canParse(address) && !HOST_OF_AWS.test(new URL(address).hostname);
}
