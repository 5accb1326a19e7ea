/**
 * Claims of a verified token, by name. Their values are not checked further.
 *
 * @example
 * ```ts
 * const ownerOf = (claims: TokenClaims) => claims['sub'];
 * ```
 */
export type TokenClaims = Readonly<Record<string, unknown>>;

/**
 * Owner of a token, as `HandshakeGuard.identify` reads it. Ids are checked
 * afterwards: 1 to 256 characters without control characters; a safe integer
 * becomes its decimal text where the option `numericIds` is set.
 *
 * @example
 * ```ts
 * identify(claims: TokenClaims): TokenOwner {
 *   return { userId: claims['sub'], tenantId: claims['org_id'] };
 * }
 * ```
 */
export interface TokenOwner {
  /** Id of the user. */
  readonly userId: unknown;
  /** Id of the user's tenant. */
  readonly tenantId: unknown;
}

/**
 * User that a socket belongs to, from its verified token and nowhere else.
 *
 * @example
 * ```ts
 * const { userId, tenantId }: RealtimeIdentity = socket.data.identity;
 * ```
 */
export interface RealtimeIdentity {
  /** Id of the user. */
  readonly userId: string;
  /** Id of the user's tenant. */
  readonly tenantId: string;
  /**
   * When the token ends, in milliseconds since the epoch: the claim `exp`, and
   * the tolerance of `JWT_CLOCK_TOLERANCE_S`.
   */
  readonly expiresAt: number;
  /** The claim `iat`, in milliseconds since the epoch. */
  readonly issuedAt?: number | undefined;
  /** The claim `sid`: the user's sign-in that the token belongs to. */
  readonly sessionId?: string | undefined;
}

/**
 * An identity, and the claims of the token that it was made of.
 *
 * @example
 * ```ts
 * const rooms = ({ identity, claims }: VerifiedToken) => [String(claims['region'])];
 * ```
 */
export interface VerifiedToken {
  /** User of the token. */
  readonly identity: RealtimeIdentity;
  /** Claims of the token. */
  readonly claims: TokenClaims;
}
