import { Inject, Injectable, Logger } from '@nestjs/common';
import { Replicas } from '../replicas/replicas';
import { isId, userRoom } from '../rooms/rooms';
import type { RealtimeIdentity } from '../handshake/identity';

/**
 * A user whose connections are cut, or one of the user's sign-ins.
 *
 * @example
 * ```ts
 * const user: RevokedUser = { tenantId: 'acme', userId: 'ann' };
 * ```
 */
export interface RevokedUser {
  /** Tenant of the user. */
  readonly tenantId: string;
  /** Id of the user in the tenant. */
  readonly userId: string;
  /** The claim `sid` of a sign-in: only what it opened is cut. */
  readonly sessionId?: string | undefined;
}

interface Revocation extends RevokedUser {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The same, by the clock of the issuer, where that is ahead. */
  readonly issuedUntil?: number | undefined;
}

/**
 * Number of users, and of sign-ins, that are remembered: the tokens of the
 * oldest should have expired.
 */
const MAX_REMEMBERED = 10_000;

/**
 * Cuts the connections of a user, and refuses the tokens that opened them.
 *
 * @example
 * ```ts
 * constructor(private readonly revocation: RealtimeRevocation) {}
 * // in a method, after a user has signed out everywhere
 * await this.revocation.revoke({ tenantId, userId });
 * ```
 */
@Injectable()
export class RealtimeRevocation {
  private readonly logger = new Logger(RealtimeRevocation.name);
  /** Until when tokens of a user were issued that are refused. */
  private readonly users = new Map<string, number>();
  /** Sign-ins that have ended: many of them push no user out. */
  private readonly signIns = new Set<string>();
  private readonly revokeEverywhere: (message: Revocation) => Promise<void>;
  private cut: (user: RevokedUser, at: number) => number = () => 0;

  constructor(@Inject(Replicas) replicas: Replicas) {
    this.revokeEverywhere = replicas.everywhere(
      'revoke',
      (revocation: Revocation) => this.apply(revocation),
      { isRemembered: true },
    );
  }

  /**
   * Cuts all connections of a user, on every replica, and refuses tokens that
   * were issued until now. Rejects when a replica has not confirmed it.
   */
  async revoke({ tenantId, userId, sessionId }: RevokedUser): Promise<void> {
    keyOf({ tenantId, userId, sessionId });
    const at = Date.now();
    await this.revokeEverywhere({ tenantId, userId, sessionId, at });
  }

  /**
   * True for an identity whose token was issued before its user was revoked.
   */
  isRevoked({
    tenantId,
    userId,
    sessionId,
    issuedAt = 0,
  }: RealtimeIdentity): boolean {
    const { users, signIns } = this;
    return (
      // Issued in the same second counts as before: the claim is in seconds.
      (users.size > 0 &&
        issuedAt <= (users.get(keyOf({ tenantId, userId })) ?? -1)) ||
      (signIns.size > 0 &&
        sessionId !== undefined &&
        signIns.has(keyOf({ tenantId, userId, sessionId })))
    );
  }

  /**
   * Sets the function that ends the connections of a user that were opened until
   * a moment. It returns when the latest of their tokens was issued.
   */
  onRevoked(cut: (user: RevokedUser, at: number) => number): void {
    this.cut = cut;
  }

  private apply({ at, issuedUntil = at, ...user }: Revocation): void {
    const key = keyOf(user);
    if (user.sessionId !== undefined) {
      // A sign-in that has ended gets no new tokens.
      remember(this.signIns, key);
      this.cut(user, at);
      return;
    }
    const known = this.users.get(key) ?? 0;
    this.users.delete(key);
    this.users.set(key, Math.max(issuedUntil, known));
    forgetOldest(this.users);
    // The issuer's clock may be ahead: what was cut must not come back.
    const issuedAt = this.cut(user, at);
    if (issuedAt > issuedUntil) {
      this.users.set(key, Math.max(issuedAt, known));
      const revocation = { ...user, at, issuedUntil: issuedAt };
      this.revokeEverywhere(revocation).catch((error: unknown) =>
        this.logger.error(error),
      );
    }
  }
}

function remember(ids: Set<string>, id: string): void {
  ids.delete(id);
  ids.add(id);
  forgetOldest(ids);
}

function forgetOldest(held: Set<string> | Map<string, unknown>): void {
  if (held.size > MAX_REMEMBERED) {
    const [oldest] = held.keys();
    held.delete(oldest as string);
  }
}

function keyOf({ tenantId, userId, sessionId }: RevokedUser): string {
  const user = userRoom(tenantId, userId);
  if (sessionId !== undefined && !isId(sessionId)) {
    throw new TypeError('A session needs an id of 1 to 256 characters');
  }
  return sessionId === undefined ? user : `${user} ${sessionId}`;
}
