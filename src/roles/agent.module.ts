import { Module, type DynamicModule } from '@nestjs/common';
import { AgentModule } from '../agent/index.js';
import { ApiDocsModule } from '../api-docs/index.js';
import { AuditModule } from '../audit/index.js';
import { HttpModule } from '../common/http/index.js';
import { AppConfigModule, type AgentRoleConfig } from '../config/index.js';
import { GitHubToolsModule } from '../github-tools/index.js';
import { SignInModule } from '../identity/sign-in/index.js';

/** The agent workload. A further provider is one more module here. */
@Module({})
export class AgentRoleModule {
  static forRoot(config: AgentRoleConfig): DynamicModule {
    return {
      module: AgentRoleModule,
      imports: [
        AppConfigModule.forRoot(config),
        AuditModule,
        HttpModule,
        SignInModule.forRoot(config.signIn),
        AgentModule,
        ApiDocsModule,
        GitHubToolsModule,
      ],
    };
  }
}
