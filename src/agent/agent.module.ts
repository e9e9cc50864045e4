import { Module } from '@nestjs/common';
import { MODEL_CONFIG } from '../config/index.js';
import { FlowModule } from '../identity/flow/index.js';
import { SessionsModule } from '../sessions/index.js';
import { ToolsModule } from '../tools/index.js';
import { UsageModule } from '../usage/index.js';
import { InvocationsController } from './http/invocations.controller.js';
import { RunsController } from './http/runs.controller.js';
import { Interrupts } from './interrupts/index.js';
import { OtherTasks, Runs, Summaries } from './runs/index.js';
import { bedrockModel, MODEL } from './strands/index.js';

/** The agent: runs that answer a user's message with the help of tools. Knows no provider. */
@Module({
  imports: [ToolsModule, SessionsModule, FlowModule, UsageModule],
  controllers: [InvocationsController, RunsController],
  providers: [
    Runs,
    OtherTasks,
    Summaries,
    Interrupts,
    { provide: MODEL, useFactory: bedrockModel, inject: [MODEL_CONFIG] },
  ],
})
export class AgentModule {}
