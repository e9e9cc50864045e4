import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, getConfigToken, registerAs, type ConfigFactory } from '@nestjs/config';
import type { AgentRoleConfig, AppConfig, SessionBindingRoleConfig } from './config.types.js';

type SliceName = Exclude<keyof AgentRoleConfig | keyof SessionBindingRoleConfig, 'role'>;

const tokenOf = (name: SliceName): string => getConfigToken(name);

/** Injects its slice: `@Inject(SERVICE_CONFIG) service: ServiceConfig`. */
export const SERVICE_CONFIG = tokenOf('service');
/** Injects its slice: `@Inject(ALB_CONFIG) alb: AlbConfig`. */
export const ALB_CONFIG = tokenOf('alb');
/** Injects its slice: `@Inject(SIGN_IN_CONFIG) signIn: SignInConfig`. */
export const SIGN_IN_CONFIG = tokenOf('signIn');
/** Injects its slice: `@Inject(FLOW_CONFIG) flow: FlowConfig`. */
export const FLOW_CONFIG = tokenOf('flow');
/** Injects its slice: `@Inject(IDENTITY_CONFIG) identity: IdentityConfig`. */
export const IDENTITY_CONFIG = tokenOf('identity');
/** Injects its slice: `@Inject(CONVERSATIONS_CONFIG) conversations: ConversationsConfig`. */
export const CONVERSATIONS_CONFIG = tokenOf('conversations');
/** Injects its slice: `@Inject(MODEL_CONFIG) model: ModelConfig`. */
export const MODEL_CONFIG = tokenOf('model');
/** Injects its slice: `@Inject(REVOCATION_CONFIG) revocation: RevocationConfig`. */
export const REVOCATION_CONFIG = tokenOf('revocation');
/** Injects its slice: `@Inject(RUNS_CONFIG) runs: RunsConfig`. */
export const RUNS_CONFIG = tokenOf('runs');
/** Injects its slice: `@Inject(LIMITS_CONFIG) limits: LimitsConfig`. */
export const LIMITS_CONFIG = tokenOf('limits');

/** Provides a configuration, slice by slice, that was loaded before the application was created. It reads nothing itself. */
@Module({})
export class AppConfigModule {
  /** The module for a configuration that `loadConfig` has made. */
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
