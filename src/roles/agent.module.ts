import { Module, type DynamicModule } from '@nestjs/common';
import { AgentModule } from '../agent/index.js';
import { ApiDocsModule } from '../api-docs/index.js';
import { AuditModule } from '../audit/index.js';
import { HttpModule } from '../common/http/index.js';
import { AppConfigModule, type AgentRoleConfig } from '../config/index.js';
import { SignInModule } from '../identity/sign-in/index.js';
import { PagesModule } from '../pages/index.js';
import { ProviderModule, type Provider } from '../tools/index.js';

/** The agent workload, with the providers that are configured. */
@Module({})
export class AgentRoleModule {
  /**
   * The role with its configuration.
   * @param providers those that can be offered; one is offered where the configuration names its credential provider
   */
  static forRoot(config: AgentRoleConfig, providers: readonly Provider[]): DynamicModule {
    const offered = providers.flatMap((provider) => {
      const own = config.providers[provider.id];
      return own === undefined ? [] : [ProviderModule.forProvider(provider, own)];
    });
    return {
      module: AgentRoleModule,
      imports: [
        AppConfigModule.forRoot(config),
        AuditModule,
        HttpModule,
        SignInModule.forRoot(config.signIn.kind),
        AgentModule,
        ApiDocsModule,
        PagesModule,
        ...offered,
      ],
    };
  }
}
