import { Module } from '@nestjs/common';
import { AuthorizationCompletionModule } from '../identity/authorization-completion/index.js';
import { FlowModule } from '../identity/flow/index.js';
import { Connect } from './connect.js';
import { ConnectController } from './connect.controller.js';
import { BrowserAnswers } from './browser-answers.js';
import { FlowCookies } from './flow-cookies.js';
import { FlowResults } from './flow-results.js';
import { SessionBinding } from './session-binding.js';
import { SessionBindingController } from './session-binding.controller.js';

/** The pages before and after a consent. They use the flow ledger, and complete authorizations at AgentCore Identity. */
@Module({
  imports: [FlowModule, AuthorizationCompletionModule],
  controllers: [ConnectController, SessionBindingController],
  providers: [Connect, SessionBinding, BrowserAnswers, FlowCookies, FlowResults],
})
export class BindingModule {}
