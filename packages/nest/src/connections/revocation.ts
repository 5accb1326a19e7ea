import { Inject, Injectable } from '@nestjs/common';
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
}

/**
 * Number of revocations that are remembered: the tokens of the oldest should
 * have expired.
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
  private readonly revoked = new Map<string, number>();
  private readonly revokeEverywhere: (message: Revocation) => Promise<void>;
  private cut: (user: RevokedUser) => void = () => undefined;

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
    if (this.revoked.size === 0) {
      return false;
    }
    const keys = [keyOf({ tenantId, userId })];
    if (sessionId !== undefined) {
      keys.push(keyOf({ tenantId, userId, sessionId }));
    }
    // Issued in the same second counts as before: the claim is in seconds.
    return keys.some((key) => issuedAt <= (this.revoked.get(key) ?? -1));
  }

  /** Sets the function that ends the revoked connections of a user. */
  onRevoked(cut: (user: RevokedUser) => void): void {
    this.cut = cut;
  }

  private apply({ at, ...user }: Revocation): void {
    const key = keyOf(user);
    this.revoked.delete(key);
    // A sign-in that has ended gets no new tokens.
    this.revoked.set(key, user.sessionId === undefined ? at : Infinity);
    if (this.revoked.size > MAX_REMEMBERED) {
      const [oldest] = this.revoked.keys();
      this.revoked.delete(oldest as string);
    }
    this.cut(user);
  }
}

function keyOf({ tenantId, userId, sessionId }: RevokedUser): string {
  const user = userRoom(tenantId, userId);
  if (sessionId !== undefined && !isId(sessionId)) {
    throw new TypeError('A session needs an id of 1 to 256 characters');
  }
  return sessionId === undefined ? user : `${user} ${sessionId}`;
}
