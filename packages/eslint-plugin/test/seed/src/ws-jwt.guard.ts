import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { WsException } from '@nestjs/websockets';
import type { Socket } from 'socket.io';

interface Claims {
  readonly sub: string;
  readonly tenantId: string;
}

@Injectable()
export class WsJwtGuard implements CanActivate {
  constructor(private readonly jwt: JwtService) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const client = context.switchToWs().getClient<Socket>();
    // finds: no-token-in-query
    const token = String(client.handshake.query.token);
    try {
      const claims = await this.jwt.verifyAsync<Claims>(token, { algorithms: ['HS256'] });
      client.data.tenantId = claims.tenantId;
      client.data.userId = claims.sub;
      return true;
    } catch {
      throw new WsException('Unauthorized');
    }
  }
}
