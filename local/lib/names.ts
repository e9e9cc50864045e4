import { createHash } from 'node:crypto';

export const REGION = 'eu-central-1';
export const ACCOUNT = '111122223333';
export const ALB_ARN = `arn:aws:elasticloadbalancing:${REGION}:${ACCOUNT}:loadbalancer/app/onbehalf-local/50dc6c495c0c9188`;
export const ALB_CLIENT_ID = 'onbehalf-local';
export const BUCKET = 'onbehalf-local-sessions';
export const WORKLOAD = 'onbehalf-local';
/** The port of the fault board, after the first one of a stack. */
export const BOARD_OFFSET = 10;
export const GITHUB_PROVIDER = credentialProviderOf('github');
/**
 * The access keys of the two task roles and of an operator. AgentCore Identity allows each task role only its own operations.
 */
export const ACCESS_KEYS = {
  agent: 'AKIALOCALAGENT',
  'session-binding': 'AKIALOCALBINDING',
  operator: 'AKIALOCALOPERATOR',
} as const;
export const KEY_ARN = `arn:aws:kms:${REGION}:${ACCOUNT}:key/0d2f7c1a-4b6e-4c8d-9a10-5e3f2b1c0d9e`;
/** These values protect nothing: only the stand-ins on this machine accept them. */
export const ALB_CLIENT_SECRET = 'local-stack-alb-client-secret';

export function clientOf(provider: string): { readonly clientId: string; readonly clientSecret: string } {
  return { clientId: 'onbehalf-local', clientSecret: `local-stack-${provider}-client-secret` };
}

export function credentialProviderOf(provider: string): string {
  return `${provider}-local`;
}

/** AgentCore Identity's callbacks end in a UUID; these UUIDs are the same after each start. */
export function callbackIdOf(provider: string): string {
  const hex = createHash('sha256').update(provider).digest('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5');
}
