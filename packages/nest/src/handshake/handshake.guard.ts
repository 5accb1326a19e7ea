import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
} from '@nestjs/common';
import { RealtimeException } from './realtime.errors';
import { type RealtimeSocket, SessionRegistry } from '../connections/session';
import { TokenVerifier } from './token-verifier';

@Injectable()
export class WsAuthGuard implements CanActivate {
  constructor(
    private readonly tokens: TokenVerifier,
    private readonly sessions: SessionRegistry,
  ) {}

  /** Verifies the handshake: the adapter calls it on every namespace. */
  async authenticate(socket: RealtimeSocket): Promise<void> {
    const { auth } = socket.handshake;
    const token: unknown = auth['token'];
    // The handshake travels to other replicas; the token must not.
    delete auth['token'];
    this.sessions.open(socket, await this.tokens.verify(token));
  }

  /** Guards every message: none is served once the token has expired. */
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'ws') {
      return false;
    }
    const { data } = context.switchToWs().getClient<RealtimeSocket>();
    if (!data.identity || data.identity.expiresAt <= Date.now()) {
      throw new RealtimeException('UNAUTHORIZED', 'The token has expired');
    }
    return true;
  }
}
