import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, getConfigToken, registerAs, type ConfigFactory } from '@nestjs/config';
import type { AgentRoleConfig, AppConfig } from './config.types.js';

type SliceName = Exclude<keyof AgentRoleConfig, 'role'>;

/** The token that injects a slice: `@Inject(ALB_CONFIG) alb: AlbConfig`. */
const tokenOf = (name: SliceName): string => getConfigToken(name);

export const SERVICE_CONFIG = tokenOf('service');
export const ALB_CONFIG = tokenOf('alb');
export const SIGN_IN_CONFIG = tokenOf('signIn');
export const FLOW_CONFIG = tokenOf('flow');
export const IDENTITY_CONFIG = tokenOf('identity');
export const CONVERSATIONS_CONFIG = tokenOf('conversations');
export const MODEL_CONFIG = tokenOf('model');
export const RUNS_CONFIG = tokenOf('runs');

/** Provides a configuration, slice by slice, that was loaded before the application was created. It reads nothing itself. */
@Module({})
export class AppConfigModule {
  static forRoot(config: AppConfig): DynamicModule {
    const nest = ConfigModule.forRoot({
      isGlobal: true,
      ignoreEnvFile: true,
      ignoreEnvVars: true,
      skipProcessEnv: true,
      load: slicesOf(config),
    });
    return { module: AppConfigModule, imports: [nest] };
  }
}

function slicesOf({ role: _, ...slices }: AppConfig): ConfigFactory[] {
  return Object.entries(slices).map(([name, slice]) => registerAs(name, () => slice as object));
}
