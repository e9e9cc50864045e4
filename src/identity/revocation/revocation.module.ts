import { Module } from '@nestjs/common';
import { GRANTS } from './grants.js';
import { GrantsAdapter } from './grants.adapter.js';

/** Ends grants at the providers. Nothing in this folder fetches a token. */
@Module({ providers: [{ provide: GRANTS, useClass: GrantsAdapter }], exports: [GRANTS] })
export class RevocationModule {}
