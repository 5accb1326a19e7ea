import { sign } from 'jsonwebtoken';

export interface Claims {
  readonly sub: string;
  readonly tenantId: string;
}

/**
 * An HS256 token, as the host's own login would mint it.
 * @param expiresIn seconds from now; negative for one that has expired
 */
export function mintToken(secret: string, claims: Claims, expiresIn = 3_600): string {
  const exp = Math.floor(Date.now() / 1_000) + expiresIn;
  return sign({ ...claims, exp }, secret, { algorithm: 'HS256' });
}
