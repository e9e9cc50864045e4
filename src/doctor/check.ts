import type { AgentRoleConfig, AppConfig, SessionBindingRoleConfig } from '../config/index.js';
import type { Aws } from './aws.js';
import type { Provider } from '../tools/index.js';
import type { Result, Subject } from './finding.js';
import type { Probes } from './probe.js';

/** The deployment that a check examines. */
export interface CheckContext<Config extends AppConfig = AppConfig> {
  readonly config: Config;
  /** AWS_REGION. */
  readonly region: string;
  readonly aws: Aws;
  readonly probes: Probes;
  /** The providers that the agent role can offer. */
  readonly providers: readonly Provider[];
}

/** One check. It runs only after the subjects that it needs are in order. */
export interface Check<Config extends AppConfig = AppConfig> {
  readonly subject: Subject;
  readonly needs: readonly Subject[];
  /** The result when a resource that `run` asks AWS for does not exist. */
  absent?(context: CheckContext<Config>): Promise<Result> | Result;
  /** @throws AwsFault that is reported by its kind: unreachable, denied, … */
  run(context: CheckContext<Config>): Promise<readonly Result[]> | readonly Result[];
}

export type AgentCheck = Check<AgentRoleConfig>;
export type SessionBindingCheck = Check<SessionBindingRoleConfig>;
