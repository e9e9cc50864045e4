import type { DynamicModule } from '@nestjs/common';
import { loadConfig, type AppConfig, type Environment } from '../config/index.js';
import type { Provider } from '../tools/index.js';

/** A role that is ready to be made into an application. */
export interface LoadedRole {
  readonly config: AppConfig;
  readonly root: DynamicModule;
  readonly bodyType: 'application/json' | 'application/x-www-form-urlencoded';
}

/**
 * Imports the parts of the role that `ROLE` names, and nothing of the other one.
 * @param further providers beside those of this repository, for the agent role
 * @throws ConfigError with every fault at once
 */
export async function loadRole(
  environment: Environment,
  further: readonly Provider[] = [],
): Promise<LoadedRole> {
  if (environment.ROLE === 'agent') {
    const [{ AgentRoleModule }, { PROVIDERS }] = await Promise.all([
      import('./agent.module.js'),
      import('./providers.js'),
    ]);
    const providers = [...PROVIDERS, ...further];
    const config = loadConfig(environment, providers);
    if (config.role !== 'agent') throw new TypeError('another role was loaded');
    return { config, root: AgentRoleModule.forRoot(config, providers), bodyType: 'application/json' };
  }
  const { REVOCABLE } = await import('./revocable.js');
  const config = loadConfig(environment, [], REVOCABLE);
  if (config.role !== 'session-binding') throw new TypeError('another role was loaded');
  const { SessionBindingRoleModule } = await import('./session-binding.module.js');
  return {
    config,
    root: SessionBindingRoleModule.forRoot(config),
    bodyType: 'application/x-www-form-urlencoded',
  };
}
