import { Inject, Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import type { FastifyRequest } from 'fastify';
import { Strategy, type JwtFromRequestFunction } from 'passport-jwt';
import { Audit } from '../../audit/index.js';
import { AppError } from '../../common/errors/index.js';
import { asAppError } from '../../common/http/index.js';
import { SIGN_IN_CONFIG, type SignInConfig } from '../../config/index.js';
import { onlyHeader, SIGN_IN, type SignIn } from './sign-in.js';
import type { User } from './user.js';

export const ALB_STRATEGY = 'alb-jwt';

const ACCESS_TOKEN_HEADER = 'x-amzn-oidc-accesstoken';

/**
 * Connects passport-jwt to the load balancer's tokens. It uses passport-jwt's extractor but not its verification, because
 * jsonwebtoken refuses the padding that the load balancer signs. `authenticate` calls the configured sign-in instead:
 * `AlbTokenVerifier`, or `BearerTokenVerifier` when there is no load balancer.
 */
@Injectable()
export class AlbJwtStrategy extends PassportStrategy(Strategy, ALB_STRATEGY) {
  // Passport calls `authenticate` on an object derived from this one, which has no #private members.
  private readonly extract: JwtFromRequestFunction<FastifyRequest>;
  private readonly signIn: SignIn;
  private readonly withUserToken: boolean;
  private readonly audit: Audit;

  constructor(@Inject(SIGN_IN) signIn: SignIn, audit: Audit, @Inject(SIGN_IN_CONFIG) config: SignInConfig) {
    const extract = (request: FastifyRequest): string | null => signIn.tokenOf(request) ?? null;
    // The base class requires a key; `authenticate` below never uses it.
    super({
      jwtFromRequest: extract,
      secretOrKeyProvider: (_request: unknown, _token: unknown, done: (error: Error) => void) => {
        done(new Error('not used'));
      },
    });
    this.extract = extract;
    this.signIn = signIn;
    this.audit = audit;
    this.withUserToken = config.withUserToken;
  }

  override authenticate(request: unknown): void {
    this.userOf(request as FastifyRequest).then(
      (user) => {
        this.audit.record('signed_in', { user: user.sub });
        this.success(user);
      },
      (error: unknown) => {
        const { code, reason = 'unknown' } = asAppError(error);
        this.audit.record('sign_in_refused', { code, reason });
        this.error(error as Error);
      },
    );
  }

  /** The mixin requires this method. passport-jwt would call it with a payload that it verified itself. */
  validate(): never {
    throw new AppError('internal_error', { reason: 'passport_jwt_verification_used' });
  }

  private async userOf(request: FastifyRequest): Promise<User> {
    const token = this.extract(request);
    if (token === null) throw new AppError('unauthenticated', { reason: 'token_missing' });
    const { subject, displayName } = await this.signIn.verify(token);
    return {
      sub: subject,
      ...(displayName !== undefined && { displayName }),
      ...(this.withUserToken && { userToken: userTokenOf(request) }),
    };
  }
}

function userTokenOf(request: FastifyRequest): string {
  const userToken = onlyHeader(request, ACCESS_TOKEN_HEADER);
  if (userToken === undefined) throw new AppError('unauthenticated', { reason: 'access_token_missing' });
  return userToken;
}
