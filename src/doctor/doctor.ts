import {
  ConfigError,
  loadConfig,
  type AppConfig,
  type ConfigFault,
  type Environment,
} from '../config/index.js';
import { AwsFault, type Aws, type AwsAddress } from './aws.js';
import type { Check, CheckContext } from './check.js';
import type { Provider } from '../tools/index.js';
import { completion, returnUrls, workloadIdentity } from './checks/agentcore-identity.js';
import { frontDoor, identityProvider } from './checks/identity-provider.js';
import { clock, credentials, reachability, region, unreachable } from './checks/network.js';
import { providerChecks } from './checks/providers.js';
import { bucket, key, model } from './checks/resources.js';
import { ok, sh, SUBJECTS, wrong, type Finding, type Result, type Subject } from './finding.js';
import { Probes } from './probe.js';

const BOTH = [region, reachability, clock, credentials, identityProvider, frontDoor];
const AGENT = [workloadIdentity, returnUrls, bucket, key, model];
const SESSION_BINDING = [completion];
const NO_SECRET = 'not-a-secret-0123456789-0123456789';

/** Checks everything that a role with this environment depends on, one subject after the other. It changes nothing. */
export async function* examine(
  environment: Environment,
  providers: readonly Provider[],
  connect: (address: AwsAddress) => Aws,
): AsyncGenerator<Finding> {
  const faults = faultsOf(environment, providers);
  yield* faults.map((fault) => ({ subject: 'variables', ...explainFault(fault) }) as const);
  // No check depends on the secret, and an operator does not have to know it.
  if (faults.some(({ variable }) => variable !== 'FLOW_SECRET')) return;
  const readable = faults.length === 0 ? environment : { ...environment, FLOW_SECRET: NO_SECRET };
  const config = loadConfig(readable, providers);
  if (faults.length === 0) yield { subject: 'variables', ...ok(`complete for the role ${config.role}`) };
  const here = environment.AWS_REGION ?? '';
  const aws = connect({
    region: here,
    identityRegion: config.identity.region,
    pathStyle: config.conversations.pathStyle,
  });
  const inOrder = new Set<Subject>(['variables']);
  for (const check of checksOf(config, { region: here, aws, providers, probes: new Probes() })) {
    const { subject, needs } = check;
    const blocker = needs.find((each) => !inOrder.has(each));
    if (blocker !== undefined) {
      yield { subject, state: 'not checked', detail: `waits for: ${blocker}` };
      continue;
    }
    const findings = await look(check, aws, inOrder.has('reachability'));
    if (findings.every(({ state }) => state === 'ok')) inOrder.add(subject);
    else inOrder.delete(subject);
    yield* findings;
  }
}

function faultsOf(environment: Environment, providers: readonly Provider[]): readonly ConfigFault[] {
  try {
    loadConfig(environment, providers);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.faults;
  }
}

function explainFault({ variable, expected, missing }: ConfigFault): Result {
  const says = `${variable} ${missing ? 'is missing' : 'is not valid'}`;
  return wrong(says, commandFor(variable), `Expected: ${expected}.`);
}

function commandFor(variable: string): string {
  switch (variable) {
    case 'FLOW_SECRET':
      return 'export FLOW_SECRET="$(openssl rand -base64 48)"';
    case 'SESSION_BINDING_URL':
      return 'unset SESSION_BINDING_URL';
    default:
      return `export ${variable}=VALUE`;
  }
}

/** A check and its subject. */
interface BoundCheck extends Pick<Check, 'subject' | 'needs'> {
  readonly run: () => Promise<readonly Result[]> | readonly Result[];
  readonly absent: () => Promise<Result> | Result | undefined;
}

function bind<Config extends AppConfig>(
  checks: readonly Check<Config>[],
  context: CheckContext<Config>,
): readonly BoundCheck[] {
  return checks.map((check) => ({
    subject: check.subject,
    needs: check.needs,
    run: () => check.run(context),
    absent: () => check.absent?.(context),
  }));
}

function checksOf(config: AppConfig, rest: Omit<CheckContext, 'config'>): readonly BoundCheck[] {
  const both = bind(BOTH, { config, ...rest });
  const own =
    config.role === 'agent'
      ? bind([...AGENT, ...providerChecks(config, rest.providers)], { config, ...rest })
      : bind(SESSION_BINDING, { config, ...rest });
  return [...both, ...own].toSorted((a, b) => SUBJECTS.indexOf(a.subject) - SUBJECTS.indexOf(b.subject));
}

async function look(
  { subject, run, absent }: BoundCheck,
  aws: Aws,
  allAnswered: boolean,
): Promise<readonly Finding[]> {
  try {
    return (await run()).map((result) => ({ subject, ...result }));
  } catch (error) {
    if (!(error instanceof AwsFault)) throw error;
    const meant = error.kind === 'absent' ? await absent() : undefined;
    return [meant === undefined ? await explain(subject, error, aws, allAnswered) : { subject, ...meant }];
  }
}

async function explain(subject: Subject, fault: AwsFault, aws: Aws, allAnswered: boolean): Promise<Finding> {
  const { kind, action, origin = 'https://unknown', code, message } = fault;
  switch (kind) {
    case 'unreachable':
      return allAnswered
        ? { subject, ...unreachable(action, origin, code) }
        : { subject, state: 'not checked', detail: 'waits for: reachability' };
    case 'no credentials':
      return subject === 'credentials'
        ? {
            subject,
            ...wrong(
              `AWS does not accept them: ${code}`,
              'aws sso login --profile NAME && export AWS_PROFILE=NAME',
              'Or use another source of credentials that aws configure list shows.',
            ),
          }
        : { subject, state: 'not checked', detail: 'waits for: credentials' };
    case 'denied': {
      const arn = await aws.caller().then(
        (caller) => caller.arn,
        () => 'the caller',
      );
      return { subject, ...permit(arn, action) };
    }
    case 'absent':
    case 'refused':
    case 'failing':
      return {
        subject,
        ...wrong(
          `${action} failed: ${code}: ${message.slice(0, 200)}`,
          'npm run doctor',
          "If it fails again, look at AWS's health dashboard.",
        ),
      };
  }
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns */
function permit(arn: string, action: string): Result {
  const [, kind = 'role', path = ''] = /:(?:assumed-)?(role|user)\/(.+)$/.exec(arn) ?? [];
  // The name of a user comes last, after a path. The name of an assumed role comes first, before the session.
  const name = (kind === 'user' ? path.split('/').at(-1) : path.split('/')[0]) ?? '';
  const document = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }],
  });
  const policy = [
    '--policy-name',
    `onbehalf-doctor-${action.replace(':', '-')}`,
    '--policy-document',
    document,
  ];
  return wrong(
    `${arn} may not ${action}`,
    sh`aws iam ${`put-${kind}-policy`} ${`--${kind}-name`} ${name} ${policy}`,
    "Run this for an operator only: a task's own role needs no more than the deployment grants. A role of IAM Identity Center gets the permission through its permission set.",
  );
}
