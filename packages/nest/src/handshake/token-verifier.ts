import { Inject, Injectable, Logger } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { REALTIME_CONFIG, type RealtimeConfig } from '../config/realtime.config';
import { RealtimeException } from './realtime.errors';
import { isId } from '../rooms/rooms';

/** Who a socket belongs to, from the claims of its token and nowhere else. */
export interface RealtimeIdentity {
  readonly userId: string;
  readonly tenantId: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** The claim `iat`, in milliseconds since the epoch. */
  readonly issuedAt?: number | undefined;
  /** The claim `sid`: which of the user's sign-ins the token belongs to. */
  readonly sessionId?: string | undefined;
}

export interface VerifiedToken {
  readonly identity: RealtimeIdentity;
  readonly claims: ReadonlyMap<string, unknown>;
}

/** jose: the key set could not be fetched or read. No fault of the token's. */
const KEYS_UNAVAILABLE = [
  'ERR_JWKS_TIMEOUT',
  'ERR_JWKS_INVALID',
  'ERR_JOSE_GENERIC',
];

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

  /** @throws RealtimeException UNAUTHORIZED, TOKEN_EXPIRED or UNAVAILABLE */
  async verify(token: unknown): Promise<VerifiedToken> {
    if (typeof token !== 'string' || token === '') {
      throw unauthorized();
    }
    const { userClaim, tenantClaim } = this.config.jwt;
    const claims = new Map<string, unknown>(
      Object.entries(await this.readClaims(token)),
    );
    const userId = claims.get(userClaim);
    const tenantId = claims.get(tenantClaim);
    const exp = claims.get('exp');
    const iat = claims.get('iat');
    const sid = claims.get('sid');
    if (!isId(userId) || !isId(tenantId) || typeof exp !== 'number') {
      throw unauthorized();
    }
    const identity = Object.freeze({
      userId,
      tenantId,
      expiresAt: exp * 1_000,
      issuedAt: typeof iat === 'number' ? iat * 1_000 : undefined,
      sessionId: isId(sid) ? sid : undefined,
    });
    return { identity, claims };
  }

  private localKey(): (token: string) => Promise<object> {
    const { key, algorithms, issuer, audience } = this.config.jwt;
    const jwt = new JwtService({
      ...(key && { secret: key }),
      // Without the pin a token chooses how it is verified.
      verifyOptions: { algorithms: [...algorithms], issuer, audience },
    });
    return async (token) => {
      try {
        return jwt.verify<object>(token);
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

function unauthorized(): RealtimeException {
  return new RealtimeException('UNAUTHORIZED', 'The token is not valid');
}

function expired(): RealtimeException {
  return new RealtimeException('TOKEN_EXPIRED', 'The token has expired');
}
