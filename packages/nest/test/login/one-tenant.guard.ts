import { Injectable } from '@nestjs/common';
import { HandshakeGuard, type TokenClaims } from '@nx-realtime/nest';

/** The tenant of everybody: an app without tenants has one. */
export const TENANT = 'all';

@Injectable()
export class WsAuthGuard extends HandshakeGuard {
  override identify(claims: TokenClaims) {
    return { userId: claims['sub'], tenantId: TENANT };
  }
}
