import { Global, Module } from '@nestjs/common';
import { Audit } from './audit.js';

/** The audit trail, for every module. */
@Global()
@Module({ providers: [Audit], exports: [Audit] })
export class AuditModule {}
