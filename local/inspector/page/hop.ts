/** Who talks to whom, in the order of the diagram. */
export const PARTIES = [
  ['browser', 'Browser'],
  ['load-balancer', 'Load balancer'],
  ['agent', 'Agent role'],
  ['session-binding', 'Session binding'],
  ['agentcore-identity', 'AgentCore Identity'],
  ['identity-provider', 'Identity provider'],
  ['provider', 'GitHub'],
  ['bedrock', 'Bedrock'],
  ['s3', 'S3'],
] as const;

export type Party = (typeof PARTIES)[number][0];

/** One side of a hop. Secrets are hidden in it. */
export interface Message {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A request from one party to another, and its answer. */
export interface Hop {
  readonly id: number;
  /** Grows with every change of any hop. */
  readonly version: number;
  /** Unix milliseconds. */
  readonly at: number;
  readonly from: Party;
  readonly to: Party;
  /** What it is, in a few words. */
  readonly title: string;
  /** The number of its step in the flow (docs/architecture.md); absent where it is beside the flow. */
  readonly step?: string;
  /** The user that the load balancer has identified. */
  readonly user?: string;
  readonly line: string;
  readonly request: Message;
  /** Absent while there is no answer; 0 where the connection broke. */
  readonly status?: number;
  readonly ms?: number;
  readonly response?: Message;
}
