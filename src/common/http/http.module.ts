import { Module } from '@nestjs/common';
import { APP_FILTER, APP_PIPE } from '@nestjs/core';
import { ErrorFilter } from './error.filter.js';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';
import { RequestsInFlight } from './requests-in-flight.js';
import { schemaPipe } from './schema.pipe.js';

/** The parts that both roles share: health routes, the validation of parameters, and errors. */
@Module({
  controllers: [HealthController],
  providers: [
    Readiness,
    RequestsInFlight,
    { provide: APP_FILTER, useClass: ErrorFilter },
    { provide: APP_PIPE, useFactory: schemaPipe },
  ],
  exports: [Readiness, RequestsInFlight],
})
export class HttpModule {}
