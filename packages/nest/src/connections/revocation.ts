import { Inject, Injectable } from '@nestjs/common';
import { Replicas } from '../replicas/replicas';
import { isId, userRoom } from '../rooms/rooms';
import type { RealtimeIdentity } from '../handshake/identity';

export interface RevokedUser {
  readonly tenantId: string;
  readonly userId: string;
  /** The claim `sid`: only what this one sign-in opened. */
  readonly sessionId?: string | undefined;
}

interface Revocation extends RevokedUser {
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The oldest is forgotten first: by then its tokens should have expired. */
const MAX_REMEMBERED = 10_000;

/** Ends what a user has open, and refuses the tokens that opened it. */
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

  /** `cut` ends the connections of a user that are revoked. */
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
