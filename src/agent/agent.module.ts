import { Module } from '@nestjs/common';
import { CONFIG } from '../config/index.js';
import { FlowModule } from '../identity/flow/index.js';
import { SessionsModule } from '../sessions/index.js';
import { ToolsModule } from '../tools/index.js';
import { DocsController } from './docs/docs.controller.js';
import { OpenApiDocument } from './docs/openapi-document.js';
import { InvocationsController } from './invocations.controller.js';
import { bedrockModel } from './model/bedrock.model.js';
import { MODEL } from './model/model.js';
import { Runs } from './runs.js';

@Module({
  imports: [ToolsModule, SessionsModule, FlowModule],
  controllers: [InvocationsController, DocsController],
  providers: [Runs, OpenApiDocument, { provide: MODEL, useFactory: bedrockModel, inject: [CONFIG] }],
})
export class AgentModule {}
