import type { KeyObject } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { verify, type VerifyOptions } from 'jsonwebtoken';
import {
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import type { TokenClaims } from './identity';
import { expired, RealtimeException, unauthorized } from './realtime.errors';

/**
 * Codes of jose where the key set could not be fetched or read: no fault of the
 * token's.
 */
const KEYS_UNAVAILABLE = [
  'ERR_JWKS_TIMEOUT',
  'ERR_JWKS_INVALID',
  'ERR_JOSE_GENERIC',
];

/**
 * Verifies tokens with the configured key, or with those of `JWKS_URI`.
 *
 * @example
 * ```ts
 * constructor(private readonly tokens: TokenVerifier) {}
 * // in a method
 * const claims = await this.tokens.verify(token);
 * ```
 */
@Injectable()
export class TokenVerifier {
  private readonly logger = new Logger(TokenVerifier.name);
  private readonly readClaims: (token: string) => Promise<object>;

  constructor(
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
  ) {
    this.readClaims = config.jwt.jwksUri
      ? this.remoteKeys(config.jwt.jwksUri)
      : this.localKey();
  }

  /**
   * Returns the claims of a token whose signature, `exp`, `iss` and `aud` are
   * right.
   *
   * @param token as the client sent it: anything
   * @throws RealtimeException UNAUTHORIZED, TOKEN_EXPIRED or UNAVAILABLE
   */
  async verify(token: unknown): Promise<TokenClaims> {
    if (typeof token !== 'string' || token === '') {
      throw unauthorized();
    }
    // An object without a prototype: `constructor` is no claim.
    const claims: Record<string, unknown> = Object.create(null);
    return Object.assign(claims, await this.readClaims(token));
  }

  private localKey(): (token: string) => Promise<object> {
    const { key, algorithms, issuer, audience } = this.config.jwt;
    // A token would choose how it is verified, if the algorithms were not
    // pinned.
    const pinned = { algorithms: [...algorithms], issuer, audience };
    const options = pinned as VerifyOptions;
    return async (token) => {
      try {
        return verify(token, key as KeyObject, options) as object;
      } catch (error) {
        throw error instanceof Error && error.name === 'TokenExpiredError'
          ? expired()
          : unauthorized();
      }
    };
  }

  private remoteKeys(uri: string): (token: string) => Promise<object> {
    const { algorithms, issuer, audience } = this.config.jwt;
    const options = {
      algorithms: [...algorithms],
      ...(issuer && { issuer }),
      ...(audience && { audience }),
    };
    const load = async () => {
      const { createRemoteJWKSet, jwtVerify } = await import('jose');
      const keys = createRemoteJWKSet(new URL(uri));
      return (token: string) => jwtVerify(token, keys, options);
    };
    let loaded: ReturnType<typeof load> | undefined;
    return async (token) => {
      try {
        const verify = await (loaded ??= load());
        return (await verify(token)).payload;
      } catch (error) {
        throw this.remoteFailure(error);
      }
    };
  }

  private remoteFailure(error: unknown): RealtimeException {
    const code =
      error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ERR_JWT_EXPIRED') {
      return expired();
    }
    if (code.startsWith('ERR_J') && !KEYS_UNAVAILABLE.includes(code)) {
      return unauthorized();
    }
    this.logger.error(`JWKS_URI cannot be read: ${String(error)}`);
    return new RealtimeException('UNAVAILABLE', 'Try again later');
  }
}
