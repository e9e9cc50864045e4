import { Module, type DynamicModule } from '@nestjs/common';
import { ConfigModule, getConfigToken, registerAs } from '@nestjs/config';
import type { AppConfig } from './config.types.js';

const NAMESPACE = 'onbehalf';

/** Injects the whole configuration: `@Inject(CONFIG) config: AppConfig`. */
export const CONFIG = getConfigToken(NAMESPACE);

/** Offers a configuration that was loaded before the application was made; reads nothing itself. */
@Module({})
export class AppConfigModule {
  static forRoot(config: AppConfig): DynamicModule {
    const nest = ConfigModule.forRoot({
      isGlobal: true,
      ignoreEnvFile: true,
      ignoreEnvVars: true,
      skipProcessEnv: true,
      load: [registerAs(NAMESPACE, () => config)],
    });
    return { module: AppConfigModule, imports: [nest] };
  }
}
