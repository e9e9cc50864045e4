import { Module } from '@nestjs/common';
import { DocsController } from './docs.controller.js';

/** Swagger UI and the specification of the agent role's API. */
@Module({ controllers: [DocsController] })
export class ApiDocsModule {}
