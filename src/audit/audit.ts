import { Inject, Injectable, Optional } from '@nestjs/common';
import { pino, type DestinationStream, type Logger } from 'pino';
import { requestContext } from '../common/context/index.js';
import { standardOutput } from '../common/logging/index.js';
import { SERVICE_CONFIG, type ServiceConfig } from '../config/index.js';
import type { AuditEventName, AuditFields } from './audit-events.js';

export const AUDIT_DESTINATION = Symbol('AuditDestination');

/**
 * The audit trail: one JSON line for each decision, in its own stream (`"stream":"audit"`). Only the audit trail records a
 * user's subject. It never records a secret, a message or data of a provider.
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
        // A decision has no severity, and no log level suppresses it. The field `stream` replaces the field `level`.
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
