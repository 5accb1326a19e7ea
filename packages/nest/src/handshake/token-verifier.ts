import type { KeyObject } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { verify, type VerifyOptions } from 'jsonwebtoken';
import {
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import type { TokenClaims } from './identity';
import {
  expired,
  isRealtimeException,
  RealtimeException,
  unauthorized,
} from './realtime.errors';

/**
 * Codes of jose where the key set could not be fetched or read: no fault of the
 * token's.
 */
const KEYS_UNAVAILABLE = [
  'ERR_JWKS_TIMEOUT',
  'ERR_JWKS_INVALID',
  'ERR_JOSE_GENERIC',
];

/** Pause after a request for the key set that failed. */
const PAUSE_MS = 2_000;
const LINE_EVERY_MS = 30_000;

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
  private nextLineAt = 0;
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
        const { header, payload } = verify(token, key as KeyObject, {
          ...options,
          complete: true,
        });
        // What a token says must be understood is not (RFC 7515, 4.1.11).
        if ('crit' in header) {
          throw unauthorized();
        }
        return payload as object;
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
      const { createRemoteJWKSet, customFetch, jwtVerify } =
        await import('jose');
      const keys = createRemoteJWKSet(new URL(uri), {
        [customFetch]: pausing(PAUSE_MS),
      });
      return async (token: string) => {
        // Of a key that is not known then, nothing is asked for.
        const isFresh = keys.coolingDown;
        try {
          return await jwtVerify(token, keys, options);
        } catch (error) {
          // It may be newer than what is known: a client must not give up.
          if (isFresh && codeOf(error) === 'ERR_JWKS_NO_MATCHING_KEY') {
            throw unavailable();
          }
          throw error;
        }
      };
    };
    let loaded: ReturnType<typeof load> | undefined;
    return async (token) => {
      try {
        const verify = await (loaded ??= load());
        return (await verify(token)).payload;
      } catch (error) {
        throw isRealtimeException(error) ? error : this.remoteFailure(error);
      }
    };
  }

  private remoteFailure(error: unknown): RealtimeException {
    const code = codeOf(error);
    if (code === 'ERR_JWT_EXPIRED') {
      return expired();
    }
    if (code.startsWith('ERR_J') && !KEYS_UNAVAILABLE.includes(code)) {
      return unauthorized();
    }
    // Whoever sends tokens must not fill the log.
    if (Date.now() >= this.nextLineAt) {
      this.nextLineAt = Date.now() + LINE_EVERY_MS;
      this.logger.error(`JWKS_URI cannot be read: ${String(error)}`);
    }
    return unavailable();
  }
}

function unavailable(): RealtimeException {
  return new RealtimeException('UNAVAILABLE', 'Try again later');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Asks nothing for a while after a request that failed: each token would ask again. */
function pausing(ms: number): typeof fetch {
  let until = 0;
  return async (...args: Parameters<typeof fetch>) => {
    if (Date.now() < until) {
      throw new Error('it could not be read a moment ago');
    }
    try {
      const response = await fetch(...args);
      until = response.ok ? 0 : Date.now() + ms;
      return response;
    } catch (error) {
      until = Date.now() + ms;
      throw error;
    }
  };
}
