import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ErrorFilter } from './error.filter.js';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';

/** What both roles serve alike: health routes and errors. */
@Module({
  controllers: [HealthController],
  providers: [Readiness, { provide: APP_FILTER, useClass: ErrorFilter }],
  exports: [Readiness],
})
export class HttpModule {}
