import { Inject, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AlbJwksCache } from 'aws-jwt-verify/alb-cache';
import { AlbJwtVerifier } from 'aws-jwt-verify/alb-verifier';
import { AppError } from '../../../common/errors/index.js';
import { ALB_CONFIG, type AlbConfig } from '../../../config/index.js';
import { refuseToken } from '../claims.js';
import { onlyHeader, type SignIn } from '../sign-in.js';
import { AlbKeyFetcher, UnknownKeyError } from './alb-key-fetcher.js';
import { inspectAlbToken, type InspectedToken } from './alb-token.js';

const TOKEN_HEADER = 'x-amzn-oidc-data';

/** Verifies the load balancer's tokens: our own check runs first, then `AlbJwtVerifier` verifies the signature. */
@Injectable()
export class AlbTokenVerifier implements SignIn {
  readonly challenge = 'OpenIdConnect';
  readonly #alb: AlbConfig;
  readonly #verifier: { verify(token: string): Promise<unknown> };

  constructor(@Inject(ALB_CONFIG) alb: AlbConfig) {
    const { arn, clientId, publicKeysUrl } = alb;
    this.#alb = alb;
    this.#verifier = AlbJwtVerifier.create(
      // With `issuer`, the library would require the issuer in the payload, where not every provider repeats it. Our own
      // check has compared the issuer in the header, which is signed as well.
      { albArn: arn, issuer: null, clientId, jwksUri: publicKeysUrl },
      { jwksCache: new AlbJwksCache({ fetcher: new AlbKeyFetcher() }) },
    );
  }

  tokenOf(request: FastifyRequest): string | undefined {
    return onlyHeader(request, TOKEN_HEADER);
  }

  /** @throws AppError `unauthenticated` | `sign_in_keys_unavailable` | `sign_in_throttled` */
  async verify(token: string): Promise<InspectedToken> {
    const inspected = inspectAlbToken(token, this.#alb, Math.floor(Date.now() / 1000));
    try {
      await this.#verifier.verify(token);
    } catch (error) {
      if (error instanceof AppError) throw error;
      throw refuseToken(error instanceof UnknownKeyError ? 'unknown_key' : 'signature', error);
    }
    return inspected;
  }
}
