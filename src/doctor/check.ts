import type { AgentRoleConfig, AppConfig, SessionBindingRoleConfig } from '../config/index.js';
import type { Aws } from './aws.js';
import type { Provider } from '../tools/index.js';
import type { Result, Subject } from './finding.js';
import type { Probes } from './probe.js';

/** The deployment that a check looks at. */
export interface CheckContext<Config extends AppConfig = AppConfig> {
  readonly config: Config;
  /** AWS_REGION. */
  readonly region: string;
  readonly aws: Aws;
  readonly probes: Probes;
  /** Those that the agent role can offer. */
  readonly providers: readonly Provider[];
}

/** One look. It makes no sense before the subjects that it needs are in order. */
export interface Check<Config extends AppConfig = AppConfig> {
  readonly subject: Subject;
  readonly needs: readonly Subject[];
  /** What it means that something which `run` asks AWS for does not exist. */
  absent?(context: CheckContext<Config>): Promise<Result> | Result;
  /** @throws AwsFault that is told as what it is: unreachable, denied, … */
  run(context: CheckContext<Config>): Promise<readonly Result[]> | readonly Result[];
}

export type AgentCheck = Check<AgentRoleConfig>;
export type SessionBindingCheck = Check<SessionBindingRoleConfig>;
