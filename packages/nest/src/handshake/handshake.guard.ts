import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
} from '@nestjs/common';
import type { RealtimeIdentity, TokenClaims, TokenOwner } from './identity';
import { RealtimeException } from './realtime.errors';
import { TokenVerifier } from './token-verifier';

/**
 * Decides who may connect: extend it and name the class as `guard` of
 * RealtimeCoreModule. Each handshake and each refresh of a token takes the same
 * path: `verify`, then `identify`, then `check`.
 *
 * It keeps no state: Nest makes one instance for the module's `providers` and
 * one for each `@UseGuards`.
 *
 * @example
 * ```ts
 * @Injectable()
 * export class WsAuthGuard extends HandshakeGuard {
 *   override identify(claims: TokenClaims) {
 *     return { userId: claims['sub'], tenantId: claims['org_id'] };
 *   }
 * }
 * ```
 */
@Injectable()
export class HandshakeGuard implements CanActivate {
  /**
   * Verifies JWTs with the configured keys. It is injected into a property:
   * subclasses have a constructor of their own.
   */
  @Inject(TokenVerifier)
  protected readonly tokenVerifier!: TokenVerifier;

  /**
   * Reads the claims of a token after verifying it: its signature, `exp`, and
   * `iss` and `aud` where they are configured. Override it for tokens that are
   * no JWT; `exp`, in seconds since the epoch, must be among the claims.
   *
   * @param token as the client sent it: anything
   * @throws RealtimeException UNAUTHORIZED, TOKEN_EXPIRED or UNAVAILABLE
   */
  verify(token: unknown): Promise<TokenClaims> {
    return this.tokenVerifier.verify(token);
  }

  /** Reads the owner of a token from the claims `sub` and `tenantId`. */
  identify(claims: TokenClaims): TokenOwner | Promise<TokenOwner> {
    return { userId: claims['sub'], tenantId: claims['tenantId'] };
  }

  /**
   * Makes checks of your own, such as that the user is not blocked. Throw a
   * RealtimeException `FORBIDDEN` to refuse: a client that is connected is cut
   * when a refresh of its token is refused here.
   *
   * @throws RealtimeException any other error refuses as INTERNAL
   */
  check(identity: RealtimeIdentity, claims: TokenClaims): void | Promise<void>;
  check(): void | Promise<void> {
    return undefined;
  }

  /** Guards every message: none is served once the token has expired. */
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'ws') {
      return false;
    }
    const { data } = context
      .switchToWs()
      .getClient<{ data: { identity?: RealtimeIdentity } }>();
    if (!data.identity || data.identity.expiresAt <= Date.now()) {
      throw new RealtimeException('UNAUTHORIZED', 'The token has expired');
    }
    return true;
  }
}
