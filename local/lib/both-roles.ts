import type { LocalStack } from '../stack.ts';
import { startRole, type RoleProcess } from './role-process.ts';

export interface BothRoles {
  readonly agent: RoleProcess;
  readonly sessionBinding: RoleProcess;
  stop(): Promise<void>;
}

/** Starts both roles as processes of the same build, and registers them with the load balancer. */
export async function startBothRoles(
  stack: LocalStack,
  options: {
    readonly ports?: readonly [agent: number, sessionBinding: number];
    readonly logDirectory?: string;
    /** A program for both roles instead of `dist/main.js`. */
    readonly entry?: string;
    /** A program for the agent role only. */
    readonly agentEntry?: string;
  } = {},
): Promise<BothRoles> {
  const place = (
    name: 'agent' | 'session-binding',
    port: number | undefined,
  ): Parameters<typeof startRole>[1] => ({
    environment: stack.environment(name),
    ...(port !== undefined && { port }),
    ...(options.entry !== undefined && { entry: options.entry }),
    ...(options.logDirectory !== undefined && { logFile: `${options.logDirectory}/${name}.log` }),
  });
  const [first, second] = await Promise.allSettled([
    startRole('agent', {
      ...place('agent', options.ports?.[0]),
      ...(options.agentEntry !== undefined && { entry: options.agentEntry }),
    }),
    startRole('session-binding', place('session-binding', options.ports?.[1])),
  ]);
  if (first.status === 'rejected' || second.status === 'rejected') {
    // If only one role has started, it must be stopped.
    if (first.status === 'fulfilled') await first.value.stop();
    if (second.status === 'fulfilled') await second.value.stop();
    throw first.status === 'rejected' ? first.reason : (second as PromiseRejectedResult).reason;
  }
  const [agent, sessionBinding] = [first.value, second.value];
  const { loadBalancer } = stack;
  loadBalancer.register({
    ...loadBalancer.targets(),
    agent: [agent.url],
    'session-binding': [sessionBinding.url],
  });
  return {
    agent,
    sessionBinding,
    stop: async () => {
      await Promise.all([agent.stop(), sessionBinding.stop()]);
    },
  };
}
