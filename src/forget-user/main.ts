import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { allVariables, processEnvironment, usesPathStyle, type Environment } from '../config/index.js';
import { Conversations, TaskLease } from '../sessions/index.js';
import { connectionsPrefix, receiptsPrefix, S3Adapter, userPrefix } from '../storage/index.js';
import { forgetUser, type Outcome } from './forget-user.js';
import { isDone, sentencesOf } from './sentences.js';
import { UserObjectsAdapter } from './user-objects.adapter.js';
import { BucketFault } from './user-objects.js';

const DEADLINE_MS = 30_000;
// npm run forget-user: deletes everything of one user in the bucket.
const [sub = '', ...flags] = process.argv.slice(2);
// The outcome is told in sentences; a failure of S3 as one too.
Logger.overrideLogger(false);
try {
  const outcome = await run(sub, processEnvironment());
  say(sentencesOf(outcome));
  process.exit(isDone(outcome) ? 0 : 1);
} catch (error) {
  if (!(error instanceof Error)) throw error;
  const reason =
    error instanceof BucketFault ? error.message : `The bucket could not be read: ${error.message}.`;
  process.stderr.write(`${reason} Nothing is lost by running this command again.\n`);
  process.exit(1);
}

function run(user: string, environment: Environment): Promise<Outcome> {
  const region = required(environment, 'AWS_REGION');
  const bucket = required(environment, 'S3_BUCKET_NAME');
  const prefixes = [userPrefix(user), connectionsPrefix(user), receiptsPrefix(user)];
  say(`Everything under ${prefixes.join(' and ')} in the bucket ${bucket}:`);
  const address = { region, bucket, pathStyle: usesPathStyle(environment) };
  const store = new S3Adapter({ ...address, deadlineMs: DEADLINE_MS });
  const conversations = new Conversations(store, new TaskLease(store));
  return forgetUser(new UserObjectsAdapter(address, prefixes), () => conversations.withTurns(user), {
    yes: flags.includes('--yes'),
    force: flags.includes('--force'),
  });
}

function required(environment: Environment, name: string): string {
  const variable = allVariables([])[name];
  const parsed = variable?.schema.safeParse(environment[name]);
  if (parsed?.success === true && typeof parsed.data === 'string') return parsed.data;
  process.stderr.write(`${name} is missing or not valid: expected ${variable?.expected ?? 'a value'}.\n`);
  process.exit(1);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
