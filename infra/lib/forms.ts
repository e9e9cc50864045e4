import { RegionInfo } from 'aws-cdk-lib/region-info';
import { z } from 'zod';

/** In other partitions, the load balancer's keys and the names of buckets and hosts differ. */
const KNOWN_REGIONS = new Set(
  RegionInfo.regions.map(({ name }) => name).filter((name) => RegionInfo.get(name).partition === 'aws'),
);
const REGION = /^[a-z]{2}(-[a-z]+)+-\d$/;
/** A text with a pattern, and the message for a mistake. */
export const text = (pattern: RegExp, expected: string): z.ZodString =>
  z
    .string()
    .regex(pattern, { error: expected })
    .meta({ form: expected.replace(/^must (be|have) /, '') });
export const region = (): z.ZodString =>
  text(REGION, 'must be an AWS region, such as eu-central-1').refine((name) => KNOWN_REGIONS.has(name), {
    error: 'is not a supported AWS region; the China and GovCloud partitions are not supported',
  });
export const url = (): z.ZodURL => z.url({ protocol: /^https$/, error: 'must be an https URL' });
export const host = (): z.ZodString => text(/^[a-z0-9.-]+$/, 'must be a host name, without https://');
export const cidr = (): z.ZodString =>
  text(/^\d+\.\d+\.\d+\.\d+\/\d+$/, 'must be an IPv4 range, such as 10.42.0.0/16');
export const secretName = (): z.ZodString =>
  text(/^[\w/+=.@-]{1,512}$/, "must be a secret's name in Secrets Manager");
export const keyArn = (): z.ZodString =>
  text(/^arn:aws[\w-]*:kms:[\w-]+:\d{12}:key\/[\w-]+$/, "must be a KMS key's ARN, arn:aws:kms:…:key/…");
export const zone = (): z.ZodString =>
  text(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, "must be an availability zone's name, such as eu-central-1a");
export const clientId = (): z.ZodString =>
  text(/^[\x21-\x7e]{1,255}$/, 'must be a client id, without spaces');
export const subnet = (): z.ZodString => text(/^subnet-\w+$/, "must be a subnet's id, subnet-…");
export const count = (): z.ZodNumber =>
  z.int({ error: 'must be a whole number' }).min(1, { error: 'must be at least 1' });
export const countTo = (most: number): z.ZodNumber =>
  count().max(most, { error: `must be at most ${String(most)}` });
