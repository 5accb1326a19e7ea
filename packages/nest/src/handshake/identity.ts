/** What a verified token says, by claim. Its values are not checked further. */
export type TokenClaims = Readonly<Record<string, unknown>>;

/**
 * Whose a token is, as `HandshakeGuard.identify` reads it. Ids are checked
 * afterwards: 1 to 256 characters without control characters.
 */
export interface TokenOwner {
  readonly userId: unknown;
  readonly tenantId: unknown;
}

/** Who a socket belongs to, from its verified token and nowhere else. */
export interface RealtimeIdentity {
  readonly userId: string;
  readonly tenantId: string;
  /** The claim `exp`, in milliseconds since the epoch. */
  readonly expiresAt: number;
  /** The claim `iat`, in milliseconds since the epoch. */
  readonly issuedAt?: number | undefined;
  /** The claim `sid`: which of the user's sign-ins the token belongs to. */
  readonly sessionId?: string | undefined;
}

/** An identity, and the claims of the token that it was made of. */
export interface VerifiedToken {
  readonly identity: RealtimeIdentity;
  readonly claims: TokenClaims;
}
