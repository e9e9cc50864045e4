import { Module } from '@nestjs/common';
import { AuthorizationCompletionModule } from '../identity/authorization-completion/index.js';
import { FlowModule } from '../identity/flow/index.js';
import { RevocationModule } from '../identity/revocation/index.js';
import { ReceiptsModule } from '../receipts/index.js';
import { Connect } from './connect.js';
import { ConnectController } from './connect.controller.js';
import { BrowserAnswers } from './browser-answers.js';
import { FlowCookies } from './flow-cookies.js';
import { FlowResults } from './flow-results.js';
import { RevocationController } from './revocation.controller.js';
import { SessionBinding } from './session-binding.js';
import { SessionBindingController } from './session-binding.controller.js';

/** The pages before and after a consent, and the end of one. They use the flow ledger, AgentCore Identity and the providers. */
@Module({
  imports: [FlowModule, AuthorizationCompletionModule, RevocationModule, ReceiptsModule],
  controllers: [ConnectController, SessionBindingController, RevocationController],
  providers: [Connect, SessionBinding, BrowserAnswers, FlowCookies, FlowResults],
})
export class BindingModule {}
