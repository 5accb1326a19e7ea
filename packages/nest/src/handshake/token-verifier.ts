import type { KeyObject } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { decode, verify, type VerifyOptions } from 'jsonwebtoken';
import {
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import type { TokenClaims } from './identity';
import {
  expired,
  isRealtimeException,
  notYetValid,
  type RealtimeException,
  TokenRefusal,
  unauthorized,
} from './realtime.errors';
import { reasonFor } from './token-reason';

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
      throw unauthorized('there is none: clients send it as auth.token');
    }
    // An object without a prototype: `constructor` is no claim.
    const claims: Record<string, unknown> = Object.create(null);
    return Object.assign(claims, await this.readClaims(token));
  }

  private localKey(): (token: string) => Promise<object> {
    const { key, algorithms, issuer, audience, clockToleranceS } =
      this.config.jwt;
    // A token would choose how it is verified, if the algorithms were not
    // pinned.
    const pinned = { algorithms: [...algorithms], issuer, audience };
    const options = {
      ...pinned,
      clockTolerance: clockToleranceS,
    } as VerifyOptions;
    return async (token) => {
      try {
        const { header, payload } = verify(token, key as KeyObject, {
          ...options,
          complete: true,
        });
        // What a token says must be understood is not (RFC 7515, 4.1.11).
        if ('crit' in header) {
          throw new Error('crit');
        }
        return payload as object;
      } catch (error) {
        throw this.refusal(error, token);
      }
    };
  }

  private remoteKeys(uri: string): (token: string) => Promise<object> {
    const { algorithms, issuer, audience, clockToleranceS } = this.config.jwt;
    const options = {
      clockTolerance: clockToleranceS,
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
            throw unavailable(reasonFor(error, token, this.config));
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
        throw isRealtimeException(error)
          ? error
          : this.remoteFailure(error, token);
      }
    };
  }

  private refusal(error: unknown, token: string): RealtimeException {
    const { clockToleranceS } = this.config.jwt;
    const within = `by more than the ${clockToleranceS} s of JWT_CLOCK_TOLERANCE_S`;
    if (EXPIRED.includes(nameOf(error)) || EXPIRED.includes(codeOf(error))) {
      return expired(`it has expired (exp), ${within}`);
    }
    if (isTooEarly(error)) {
      const { nbf } = Object(decode(token)) as TokenClaims;
      return notYetValid(
        `it is not valid yet (nbf), ${within}`,
        (Number(nbf) - clockToleranceS) * 1_000,
      );
    }
    return unauthorized(reasonFor(error, token, this.config));
  }

  private remoteFailure(error: unknown, token: string): RealtimeException {
    const code = codeOf(error);
    if (code.startsWith('ERR_J') && !KEYS_UNAVAILABLE.includes(code)) {
      return this.refusal(error, token);
    }
    // Whoever sends tokens must not fill the log.
    if (Date.now() >= this.nextLineAt) {
      this.nextLineAt = Date.now() + LINE_EVERY_MS;
      this.logger.error(`JWKS_URI cannot be read: ${String(error)}`);
    }
    return unavailable('the key set is away');
  }
}

/** Names of jsonwebtoken and codes of jose. */
const EXPIRED = ['TokenExpiredError', 'ERR_JWT_EXPIRED'];

/** The claim `nbf` is a time, and it has not come. */
function isTooEarly(error: unknown): boolean {
  const { name, claim, reason } = Object(error);
  return (
    name === 'NotBeforeError' || (claim === 'nbf' && reason === 'check_failed')
  );
}

function unavailable(reason: string): TokenRefusal {
  return new TokenRefusal('UNAVAILABLE', 'Try again later', reason);
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : '';
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
