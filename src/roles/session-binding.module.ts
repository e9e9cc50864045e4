import { Module, type DynamicModule } from '@nestjs/common';
import { BindingModule } from '../binding/index.js';
import { AuditModule } from '../audit/index.js';
import { HttpModule } from '../common/http/index.js';
import { AppConfigModule, type SessionBindingRoleConfig } from '../config/index.js';
import { SignInModule } from '../identity/sign-in/index.js';

/** The session-binding service. It completes authorizations, and has nothing that fetches a token. */
@Module({})
export class SessionBindingRoleModule {
  /** The role with its configuration. */
  static forRoot(config: SessionBindingRoleConfig): DynamicModule {
    return {
      module: SessionBindingRoleModule,
      imports: [
        AppConfigModule.forRoot(config),
        AuditModule,
        HttpModule,
        SignInModule.forRoot('alb'),
        BindingModule,
      ],
    };
  }
}
