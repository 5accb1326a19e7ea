import { Injectable } from '@nestjs/common';
import { HandshakeGuard, type TokenClaims } from '@nx-realtime/nest';

/** Refuses who has no valid token, at each handshake, refresh and message. */
@Injectable()
export class WsAuthGuard extends HandshakeGuard {
  /** Whose token it is: adjust to your JWT's shape. */
  override identify(claims: TokenClaims) {
    return { userId: claims['sub'], tenantId: claims['tenantId'] };
  }
}
