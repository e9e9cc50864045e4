import type { DynamicModule } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AppConfig } from '../config/index.js';

export interface RoleParts {
  readonly root: DynamicModule;
  readonly bodyType: 'application/json' | 'application/x-www-form-urlencoded';
  /** What a role does once its application stands, before it listens. */
  readonly prepare: (app: NestFastifyApplication) => void;
}

/** Imports what a role consists of, and nothing of the other one. */
export async function loadRole(config: AppConfig): Promise<RoleParts> {
  switch (config.role) {
    case 'agent': {
      const [{ AgentRoleModule }, { OpenApiDocument }] = await Promise.all([
        import('./agent.module.js'),
        import('../agent/index.js'),
      ]);
      return {
        root: AgentRoleModule.forRoot(config),
        bodyType: 'application/json',
        prepare: (app) => {
          app.get(OpenApiDocument).create(app, config.publicUrl);
        },
      };
    }
    case 'session-binding': {
      const { SessionBindingRoleModule } = await import('./session-binding.module.js');
      return {
        root: SessionBindingRoleModule.forRoot(config),
        bodyType: 'application/x-www-form-urlencoded',
        prepare: () => undefined,
      };
    }
  }
}
