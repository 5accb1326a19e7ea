import { IoAdapter } from '@nestjs/platform-socket.io';
import type { Server, ServerOptions } from 'socket.io';

export class RedisIoAdapter extends IoAdapter {
  override createIOServer(port: number, options?: ServerOptions): Server {
    const server: Server = super.createIOServer(port, {
      ...options,
      cors: {
        // finds: no-permissive-cors
        origin: process.env.FRONTEND_URL,
        credentials: true,
      },
      // finds: websocket-only
      transports: ['websocket', 'polling'],
      // finds: no-connection-state-recovery
      connectionStateRecovery: {
        maxDisconnectionDuration: 2 * 60 * 1000,
        skipMiddlewares: true,
      },
    });
    return server;
  }
}
