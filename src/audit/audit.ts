import { Inject, Injectable, Optional } from '@nestjs/common';
import { pino, type DestinationStream, type Logger } from 'pino';
import { requestContext } from '../common/context/index.js';
import { standardOutput } from '../common/logging/index.js';
import { SERVICE_CONFIG, type ServiceConfig } from '../config/index.js';
import type { AuditEventName, AuditFields } from './audit-events.js';

export const AUDIT_DESTINATION = Symbol('AuditDestination');

/**
 * The audit trail: one JSON line a decision, in a stream of its own (`"stream":"audit"`). It is the one place where a
 * user's subject is written down; no secret, message or provider's data ever is.
 */
@Injectable()
export class Audit {
  readonly #lines: Logger;

  constructor(
    @Inject(SERVICE_CONFIG) { role, environment }: Pick<ServiceConfig, 'role' | 'environment'>,
    @Optional() @Inject(AUDIT_DESTINATION) destination: DestinationStream = standardOutput(),
  ) {
    this.#lines = pino(
      {
        base: { role, environment },
        timestamp: pino.stdTimeFunctions.isoTime,
        // A decision has no severity, and no log level silences it: the stream stands in the level's place.
        formatters: { level: () => ({ stream: 'audit' }) },
      },
      destination,
    );
  }

  /** Writes a line, with the ids of the request that it belongs to. @param fields the event's own, as docs/audit.md lists them */
  record<Name extends AuditEventName>(event: Name, fields: AuditFields<Name>): void {
    const { requestId = 'none', chosenByClient } = requestContext() ?? {};
    this.#lines.info({
      event,
      requestId,
      ...(chosenByClient !== undefined && { chosenByClient }),
      ...fields,
    });
  }
}
