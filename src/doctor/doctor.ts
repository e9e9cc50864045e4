import { ConfigError, loadConfig, type AppConfig, type Environment } from '../config/index.js';
import { AwsFault, type Aws } from './aws.js';
import type { Check, Patient } from './check.js';
import {
  callbackUrl,
  completion,
  credentialProvider,
  returnUrls,
  workloadIdentity,
} from './checks/agentcore-identity.js';
import { frontDoor, identityProvider } from './checks/identity-provider.js';
import { clock, credentials, reachability, region, unreachable } from './checks/network.js';
import { bucket, key, model } from './checks/resources.js';
import { ok, SUBJECTS, wrong, type Finding, type Result, type Subject } from './finding.js';
import { Probes } from './probe.js';

const BOTH = [region, reachability, clock, credentials, identityProvider, frontDoor];
const AGENT = [workloadIdentity, returnUrls, credentialProvider, callbackUrl, bucket, key, model];
const SESSION_BINDING = [completion];

/** Looks at everything that a role with this environment depends on, one subject after the other; changes nothing. */
export async function* examine(
  environment: Environment,
  connect: (regions: { readonly region: string; readonly identityRegion: string }) => Aws,
): AsyncGenerator<Finding> {
  const config = readConfig(environment);
  if (Array.isArray(config)) {
    yield* config.map((result) => ({ subject: 'variables', ...result }) as const);
    return;
  }
  yield { subject: 'variables', ...ok(`those of the role ${config.role}`) };
  const here = environment.AWS_REGION ?? '';
  const aws = connect({ region: here, identityRegion: config.identityRegion });
  const inOrder = new Set<Subject>(['variables']);
  for (const [{ subject, needs }, run] of checksOf(config, { region: here, aws, probes: new Probes() })) {
    const blocker = needs.find((each) => !inOrder.has(each));
    if (blocker !== undefined) {
      yield { subject, state: 'not checked', detail: `waits for: ${blocker}` };
      continue;
    }
    const findings = await look(subject, run, aws, inOrder.has('reachability'));
    if (findings.every(({ state }) => state === 'ok')) inOrder.add(subject);
    yield* findings;
  }
}

function readConfig(environment: Environment): AppConfig | Result[] {
  try {
    return loadConfig(environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults.map(({ variable, expected, missing }) =>
      wrong(`${variable} ${missing ? 'is missing' : 'is not valid'}`, commandFor(variable, expected)),
    );
  }
}

function commandFor(variable: string, expected: string): string {
  switch (variable) {
    case 'FLOW_SECRET':
      return 'export FLOW_SECRET="$(openssl rand -base64 48)"   # the same in both roles';
    case 'SESSION_BINDING_URL':
      return `unset SESSION_BINDING_URL   # expected: ${expected}`;
    default:
      return `export ${variable}=…   # expected: ${expected}`;
  }
}

type Run = () => Promise<readonly Result[]> | readonly Result[];

function checksOf(
  config: AppConfig,
  rest: Omit<Patient, 'config'>,
): readonly (readonly [Pick<Check, 'subject' | 'needs'>, Run])[] {
  const both = BOTH.map((check) => [check, () => check.run({ config, ...rest })] as const);
  const own =
    config.role === 'agent'
      ? AGENT.map((check) => [check, () => check.run({ config, ...rest })] as const)
      : SESSION_BINDING.map((check) => [check, () => check.run({ config, ...rest })] as const);
  return [...both, ...own].toSorted(([a], [b]) => SUBJECTS.indexOf(a.subject) - SUBJECTS.indexOf(b.subject));
}

async function look(subject: Subject, run: Run, aws: Aws, allAnswered: boolean): Promise<readonly Finding[]> {
  try {
    return (await run()).map((result) => ({ subject, ...result }));
  } catch (error) {
    if (!(error instanceof AwsFault)) throw error;
    return [await explain(subject, error, aws, allAnswered)];
  }
}

async function explain(subject: Subject, fault: AwsFault, aws: Aws, allAnswered: boolean): Promise<Finding> {
  const { kind, action, host = '', code, message } = fault;
  switch (kind) {
    case 'unreachable':
      return allAnswered
        ? { subject, ...unreachable(`${action} at ${host}`, host, code) }
        : { subject, state: 'not checked', detail: 'waits for: reachability' };
    case 'no credentials':
      return subject === 'credentials'
        ? {
            subject,
            ...wrong(
              `AWS does not take them: ${code}`,
              'aws sso login --profile NAME && export AWS_PROFILE=NAME   # or another way of: aws configure list',
            ),
          }
        : { subject, state: 'not checked', detail: 'waits for: credentials' };
    case 'denied': {
      const arn = await aws.caller().then(
        (caller) => caller.arn,
        () => 'the caller',
      );
      return { subject, ...wrong(`${arn} may not ${action}`, permit(arn, action)) };
    }
    case 'absent':
    case 'refused':
    case 'failing':
      return {
        subject,
        ...wrong(
          `${action} failed: ${code}: ${message.slice(0, 200)}`,
          "npm run doctor   # once more; then AWS's health dashboard",
        ),
      };
  }
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns */
function permit(arn: string, action: string): string {
  const [, kind, name] = /:(?:assumed-)?(role|user)\/([^/]+)/.exec(arn) ?? [];
  const who =
    kind === 'user'
      ? `put-user-policy --user-name ${name ?? '…'}`
      : `put-role-policy --role-name ${name ?? '…'}`;
  const document = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"${action}","Resource":"*"}]}`;
  return `aws iam ${who} --policy-name onbehalf-doctor --policy-document '${document}'`;
}
