import type { Tree } from '@nx/devkit';
import { hostTree } from './host-tree.js';

/** Realtime code as people write it from tutorials, under `apps/api-gateway/src`. */
export interface Recipe {
  readonly title: string;
  readonly name: string;
  readonly plural: string;
  readonly files: Readonly<Record<string, string>>;
  readonly expected: {
    readonly namespace: string;
    readonly rooms: string;
    readonly serverEvents: object;
    readonly clientEvents: object;
  };
}

/** A workspace whose app holds these files. */
export function recipeTree(files: Recipe['files']): Tree {
  const tree = hostTree();
  for (const [path, text] of Object.entries(files)) {
    tree.write(`apps/api-gateway/src/${path}`, text);
  }
  return tree;
}

const IMPORTS = `import { ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { Server, Socket } from 'socket.io';
`;

const module = (name: string, imports: string, providers: string, more = ''): string =>
  `import { Module } from '@nestjs/common';
${imports}
@Module({
  providers: [${providers}],${more}
})
export class ${name} {}
`;

export const RECIPES: readonly Recipe[] = [
  {
    title: 'a gateway with a guard, a consumer among the providers, an interface beside',
    name: 'Notification',
    plural: 'notifications',
    files: {
      'notifications/notification.interface.ts': `export enum Severity {
  Low = 'low',
  High = 'high',
}

export interface Notification {
  id: string;
  message: string;
  severity: Severity;
  kind: 'info' | 'alert';
  tags?: string[];
  createdAt: Date;
  read: boolean;
  count: number;
  extra: Record<string, unknown>;
  userId?: string;
}
`,
      'notifications/ws-jwt.guard.ts': `import { CanActivate, ExecutionContext, Injectable } from '@nestjs/common';

@Injectable()
export class WsJwtGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return Boolean(context.switchToWs().getClient().handshake.auth.token);
  }
}
`,
      'notifications/notifications.gateway.ts': `import { UseGuards } from '@nestjs/common';
${IMPORTS}import { Notification } from './notification.interface';
import { WsJwtGuard } from './ws-jwt.guard';

@WebSocketGateway({ namespace: 'notifications', cors: { origin: '*' } })
@UseGuards(WsJwtGuard)
export class NotificationsGateway {
  @WebSocketServer()
  server!: Server;

  handleConnection(client: Socket) {
    // mine: greet
    client.join('everyone');
  }

  broadcast(notification: Notification) {
    this.server.emit('notification.created', notification);
  }
}
`,
      'notifications/notifications.consumer.ts': `import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { Notification } from './notification.interface';
import { NotificationsGateway } from './notifications.gateway';

@Controller()
export class NotificationsConsumer {
  constructor(private readonly gateway: NotificationsGateway) {}

  @EventPattern('notification.created')
  handle(@Payload() data: { tenantId: string; notification: Notification }) {
    this.gateway.broadcast(data.notification);
  }
}
`,
      'notifications/notifications.module.ts': module(
        'NotificationsModule',
        "import { NotificationsConsumer } from './notifications.consumer';\nimport { NotificationsGateway } from './notifications.gateway';\n",
        'NotificationsGateway, NotificationsConsumer',
        '\n  exports: [NotificationsGateway],',
      ),
    },
    expected: {
      namespace: '/notifications',
      rooms: 'tenant',
      serverEvents: {
        'notification.created': {
          payload: {
            id: 'string',
            message: 'string',
            severity: 'enum(low|high)',
            kind: 'enum(info|alert)',
            'tags?': 'string[]',
            createdAt: 'datetime',
            read: 'boolean',
            count: 'number',
            extra: 'json',
            'userId?': 'string',
          },
          audience: { to: 'user', field: 'userId', otherwise: 'tenant' },
        },
      },
      clientEvents: {},
    },
  },
  {
    title: 'a chat in rooms, with a DTO and camel-case names',
    name: 'Chat',
    plural: 'chats',
    files: {
      'chat/dto/send-message.dto.ts': `import { IsInt, IsOptional, IsString, IsUUID } from 'class-validator';

export class SendMessageDto {
  @IsUUID()
  roomId: string;

  @IsString()
  text: string;

  @IsOptional()
  @IsInt()
  replyTo: number;
}
`,
      'chat/chat.service.ts': `import { Injectable } from '@nestjs/common';
import { SendMessageDto } from './dto/send-message.dto';

@Injectable()
export class ChatService {
  private readonly messages: SendMessageDto[] = [];

  async save(message: SendMessageDto): Promise<SendMessageDto> {
    this.messages.push(message);
    return message;
  }
}
`,
      'chat/chat.gateway.ts': `${IMPORTS}import { ChatService } from './chat.service';
import { SendMessageDto } from './dto/send-message.dto';

@WebSocketGateway({ namespace: '/chat' })
export class ChatGateway {
  @WebSocketServer() private server: Server;

  constructor(private readonly chatService: ChatService) {}

  @SubscribeMessage('joinRoom')
  joinRoom(@ConnectedSocket() client: Socket, @MessageBody('roomId') roomId: string) {
    client.join(roomId);
  }

  @SubscribeMessage('sendMessage')
  async send(@MessageBody() dto: SendMessageDto, @ConnectedSocket() client: Socket) {
    const saved = await this.chatService.save(dto);
    this.server.to(dto.roomId).emit('newMessage', { ...saved, sentAt: new Date() });
  }

  @SubscribeMessage('archive')
  async archive(@MessageBody() dto: SendMessageDto) {
    // mine: archived means saved again
    const saved = await this.chatService.save(dto);
    return { archived: saved.roomId };
  }
}
`,
      'chat/chat.module.ts': module(
        'ChatModule',
        "import { ChatGateway } from './chat.gateway';\nimport { ChatService } from './chat.service';\n",
        'ChatGateway, ChatService',
      ),
    },
    expected: {
      namespace: '/chat',
      rooms: 'resource',
      serverEvents: {
        'chat.newMessage': {
          payload: { roomId: 'uuid', text: 'string', 'replyTo?': 'integer', sentAt: 'datetime' },
          audience: { to: 'resource', field: 'roomId' },
        },
      },
      clientEvents: {
        'chat.joinRoom': { payload: { roomId: 'string' } },
        'chat.sendMessage': { payload: { roomId: 'uuid', text: 'string', 'replyTo?': 'integer' } },
        'chat.archive': { payload: { roomId: 'uuid', text: 'string', 'replyTo?': 'integer' } },
      },
    },
  },
  {
    title: 'names with colons in constants, one name for both ways, sent to a user',
    name: 'Alert',
    plural: 'alerts',
    files: {
      'gateways/alert-events.ts': `export const ALERT_EVENTS = {
  RAISED: 'alert:raised',
  ACK: 'alert:ack',
} as const;
`,
      'gateways/alerts.gateway.ts': `${IMPORTS}import { ALERT_EVENTS } from './alert-events';

type Alert = { title: string; level: 1 | 2 | 3; note?: string | null };

@WebSocketGateway(3001, { namespace: 'alerts' })
export class AlertsGateway {
  @WebSocketServer()
  io: Server;

  @SubscribeMessage(ALERT_EVENTS.ACK)
  ack(client: Socket, payload: { alertId: string }) {
    client.emit(ALERT_EVENTS.ACK, { alertId: payload.alertId });
  }

  sendToUser(userId: string, alert: Alert) {
    this.io.to(\`user:\${userId}\`).emit(ALERT_EVENTS.RAISED, alert);
  }
}
`,
      'gateways/gateways.module.ts': module(
        'GatewaysModule',
        "import { AlertsGateway } from './alerts.gateway';\n",
        'AlertsGateway',
      ),
    },
    expected: {
      namespace: '/alerts',
      rooms: 'tenant',
      serverEvents: {
        'alert.ack': {
          payload: { alertId: 'string', userId: 'string' },
          audience: { to: 'user', field: 'userId' },
        },
        'alert.raised': {
          payload: { title: 'string', level: 'number', 'note?': 'json', userId: 'string' },
          audience: { to: 'user', field: 'userId' },
        },
      },
      clientEvents: { 'alert.sendAck': { payload: { alertId: 'string' } } },
    },
  },
];
