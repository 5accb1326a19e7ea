/* Hand-written code whose guard decides more than whose token it is. */

/** A gateway of the domain Chat behind a guard of the team's own. */
export const GATEWAY = `import { UseGuards } from '@nestjs/common';
import { SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { TeamGuard } from '../auth/team.guard';

@WebSocketGateway({ namespace: 'chat' })
@UseGuards(TeamGuard)
export class ChatGateway {
  @SubscribeMessage('say') say() {}
}
`;

const USERS = {
  'users/users.service.ts':
    "import { Injectable } from '@nestjs/common';\n@Injectable()\nexport class UsersService {\n  async isBlocked(id: string) {\n    return id === 'eve';\n  }\n}\n",
  'users/users.module.ts':
    "import { Module } from '@nestjs/common';\nimport { UsersService } from './users.service';\n@Module({ providers: [UsersService] })\nexport class UsersModule {}\n",
  'auth/claims.ts':
    'export interface Claims {\n  sub: string;\n  org: { id: string };\n  roles: string[];\n}\n',
};

/** The guard, with what it does and what it is given. */
export const guardOf = (body: string, members = 'private readonly jwt: JwtService'): string =>
  `import { CanActivate, ExecutionContext, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { WsException } from '@nestjs/websockets';
import { UsersService } from '../users/users.service';
import { Claims } from './claims';

@Injectable()
export class TeamGuard implements CanActivate {
  constructor(${members}) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
${body}
  }
}
`;

/** Takes the token from a handshake. */
export const TOKEN = `    const client = context.switchToWs().getClient();
    const token = client.handshake.auth.token;
    if (!token) throw new WsException('No token');
`;

/** Members of a guard that asks a service of the team. */
export const BOTH = 'private readonly jwt: JwtService, private readonly users: UsersService';

/** Asks a service and a claim, by a type of the claims. */
export const ASKING = `${TOKEN}    try {
      const payload = await this.jwt.verifyAsync<Claims>(token);
      // mine: not on Sundays
      if (await this.users.isBlocked(payload.sub)) {
        throw new WsException('Blocked');
      }
      client.data = { userId: payload.sub, tenantId: payload.org.id };
      return payload.roles.includes('chat');
    } catch {
      client.disconnect();
      return false;
    }`;

/** Files of the app, as `recipeTree` takes them. */
export const guarded = (guard: string, gateway = GATEWAY): Record<string, string> => ({
  ...USERS,
  'auth/team.guard.ts': guard,
  'chat/chat.gateway.ts': gateway,
  'chat/chat.module.ts':
    "import { Module } from '@nestjs/common';\nimport { ChatGateway } from './chat.gateway';\n@Module({ providers: [ChatGateway] })\nexport class ChatModule {}\n",
});
