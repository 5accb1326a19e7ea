import { Inject, Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { REALTIME_OPTIONS, type RealtimeCoreOptions } from '../config/options';
import {
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import { isId } from '../rooms/rooms';
import { TIME_LIMITS, withTimeLimit } from '../time-limit';
import type { HandshakeGuard } from './handshake.guard';
import type { RealtimeIdentity, TokenClaims, VerifiedToken } from './identity';
import {
  expired,
  isRealtimeException,
  notYetValid,
  type RealtimeException,
  TokenRefusal,
  unauthorized,
} from './realtime.errors';
import { reasonForId } from './token-reason';

/** The one way from a token to an identity, for handshakes and refreshes. */
@Injectable()
export class Handshake {
  private known: HandshakeGuard | undefined;
  private readonly refusals = new WeakSet<RealtimeException>();

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(REALTIME_OPTIONS) private readonly options: RealtimeCoreOptions,
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
  ) {}

  /**
   * The app's guard.
   * @throws Error where no module provides it
   */
  get guard(): HandshakeGuard {
    return (this.known ??= this.find());
  }

  /**
   * Verifies a token, makes an identity of its claims and has the owner check
   * it.
   *
   * @param identified is called with the identity before it is checked
   * @throws RealtimeException UNAUTHORIZED, TOKEN_EXPIRED or UNAVAILABLE, and
   * what the owner's guard throws
   */
  async verify(
    token: unknown,
    identified: (identity: RealtimeIdentity) => void = () => undefined,
  ): Promise<VerifiedToken> {
    const { guard } = this;
    const claims = await guard.verify(token);
    const owner = await inTime(guard.identify(claims));
    const userId = this.readId(owner.userId);
    const tenantId = this.readId(owner.tenantId);
    const sid = this.readId(claims['sid']);
    const { exp, iat } = claims;
    if (!isId(userId)) {
      throw unauthorized(reasonForId('userId', userId, claims));
    }
    if (!isId(tenantId)) {
      throw unauthorized(reasonForId('tenantId', tenantId, claims));
    }
    if (!Number.isFinite(exp)) {
      throw unauthorized(
        'it has no exp: sign it with a time to expire, in seconds',
      );
    }
    const { clockToleranceS } = this.config.jwt;
    const identity = Object.freeze({
      userId,
      tenantId,
      expiresAt: (Number(exp) + clockToleranceS) * 1_000,
      issuedAt: typeof iat === 'number' ? iat * 1_000 : undefined,
      sessionId: isId(sid) ? sid : undefined,
    });
    identified(identity);
    if (identity.expiresAt <= Date.now()) {
      throw expired(
        `it has expired (exp), by more than the ${clockToleranceS} s of JWT_CLOCK_TOLERANCE_S`,
      );
    }
    const issuedFrom = (identity.issuedAt ?? 0) - clockToleranceS * 1_000;
    // A revocation compares it with the time of this machine.
    if (issuedFrom > Date.now()) {
      throw notYetValid(
        `it is of the future (iat, in seconds), by more than the ${clockToleranceS} s of JWT_CLOCK_TOLERANCE_S`,
        issuedFrom,
      );
    }
    await this.check(identity, claims);
    return { identity, claims };
  }

  /** A number as text, where the app takes numbers for ids. */
  private readId(value: unknown): unknown {
    return this.options.numericIds && Number.isSafeInteger(value)
      ? String(value)
      : value;
  }

  /** True for an error of `verify` that the owner's check has thrown. */
  isOwnersRefusal(error: unknown): error is RealtimeException {
    return isRealtimeException(error) && this.refusals.has(error);
  }

  private async check(
    identity: RealtimeIdentity,
    claims: TokenClaims,
  ): Promise<void> {
    try {
      await inTime(this.guard.check(identity, claims));
    } catch (error) {
      if (isRealtimeException(error)) {
        this.refusals.add(error);
      }
      throw error;
    }
  }

  /**
   * The guard that a module provides, not one that Nest makes for `@UseGuards`.
   */
  private find(): HandshakeGuard {
    const { guard } = this.options;
    for (const { providers } of this.modules.values()) {
      const provider = providers.get(guard);
      if (provider?.isDependencyTreeStatic() && provider.instance) {
        return provider.instance as HandshakeGuard;
      }
    }
    throw new Error(
      `No module provides ${guard.name}: add it to the providers of RealtimeModule, without a scope of its own`,
    );
  }
}

/** An answer of the guard; a client may try again where it takes too long. */
function inTime<T>(answer: T | Promise<T>): Promise<T> {
  return withTimeLimit(
    TIME_LIMITS.owner,
    answer,
    () =>
      new TokenRefusal(
        'UNAVAILABLE',
        'Try again later',
        'the guard takes too long: identify() or check()',
      ),
  );
}
