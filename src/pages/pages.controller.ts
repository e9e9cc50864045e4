import { Controller, Get, Header, Param, Res, StreamableFile } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { AppError } from '../common/errors/index.js';
import { html } from '../common/http/index.js';
import { ApiProblem, jsonSchema } from '../common/openapi/index.js';
import { CurrentUser, type User } from '../identity/sign-in/index.js';
import { BuiltPages } from './built-pages.js';

const FOREVER = 'private, max-age=31536000, immutable';
const AN_HOUR = 'private, max-age=3600';

/** Scripts and styles are files of this origin alone, and no text can become HTML. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Swagger UI writes style attributes and loads data: images; nothing comes from another origin. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";
const WHO = '<!--who-->';

const person = z.object({
  displayName: z.string().optional().describe('Name and user name, where the identity provider tells them'),
});

/** The pages for people. They are static: what they show comes from the API. */
@ApiTags('You')
@Controller()
export class PagesController {
  readonly #pages: BuiltPages;

  constructor(pages: BuiltPages) {
    this.#pages = pages;
  }

  @Get()
  @ApiExcludeEndpoint()
  @Header('content-security-policy', POLICY)
  @Header('content-type', 'text/html; charset=utf-8')
  chat(): string {
    if (this.#pages.chat === undefined) throw new AppError('not_found');
    return this.#pages.chat;
  }

  @Get('docs')
  @ApiExcludeEndpoint()
  @Header('content-security-policy', DOCS_POLICY)
  @Header('content-type', 'text/html; charset=utf-8')
  docs(@CurrentUser() { displayName }: User): string {
    if (this.#pages.docs === undefined) throw new AppError('not_found');
    const who = displayName === undefined ? html`You are signed in` : html`Signed in as ${displayName}`;
    return this.#pages.docs.replace(WHO, () => who.value);
  }

  @Get('assets/:name')
  @ApiExcludeEndpoint()
  asset(@Param('name') name: string, @Res({ passthrough: true }) reply: FastifyReply): StreamableFile {
    const asset = this.#pages.asset(name);
    if (asset === undefined) throw new AppError('not_found');
    void reply.header('cache-control', asset.isUnchanging ? FOREVER : AN_HOUR);
    return new StreamableFile(asset.content, { type: asset.type });
  }

  @Get('me')
  @ApiOperation({ operationId: 'readMe', summary: 'Who is signed in' })
  @ApiResponse({ status: 200, description: 'You', schema: jsonSchema(person) })
  @ApiProblem('unauthenticated', 'sign_in_throttled', 'sign_in_keys_unavailable', 'internal_error')
  me(@CurrentUser() { displayName }: User): z.infer<typeof person> {
    return displayName === undefined ? {} : { displayName };
  }
}
