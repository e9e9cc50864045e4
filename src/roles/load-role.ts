import type { DynamicModule } from '@nestjs/common';
import type { AppConfig } from '../config/index.js';

export interface RoleParts {
  readonly root: DynamicModule;
  readonly bodyType: 'application/json' | 'application/x-www-form-urlencoded';
}

/** Imports the parts of a role, and nothing of the other one. */
export async function loadRole(config: AppConfig): Promise<RoleParts> {
  switch (config.role) {
    case 'agent': {
      const { AgentRoleModule } = await import('./agent.module.js');
      return { root: AgentRoleModule.forRoot(config), bodyType: 'application/json' };
    }
    case 'session-binding': {
      const { SessionBindingRoleModule } = await import('./session-binding.module.js');
      return {
        root: SessionBindingRoleModule.forRoot(config),
        bodyType: 'application/x-www-form-urlencoded',
      };
    }
  }
}
