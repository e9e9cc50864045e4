import { Module } from '@nestjs/common';
import { ConnectController } from './connect.controller.js';
import { FlowCookies } from './flow-cookies.js';
import { SessionBinding } from './session-binding.js';
import { SessionBindingController } from './session-binding.controller.js';

@Module({
  controllers: [ConnectController, SessionBindingController],
  providers: [FlowCookies, SessionBinding],
})
export class BindingModule {}
