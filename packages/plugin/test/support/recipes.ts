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
  {
    title: 'what a tutorial of Nest shows: any, an answer as an event, no namespace',
    name: 'Message',
    plural: 'messages',
    files: {
      'message/message.gateway.ts': `${IMPORTS}
@WebSocketGateway({ cors: true })
export class MessageGateway {
  @WebSocketServer()
  server: Server;

  @SubscribeMessage('message')
  handleMessage(client: any, payload: any): string {
    this.server.emit('message', payload.text);
    return 'Hello world!';
  }

  @SubscribeMessage('identity')
  async identity(@MessageBody() data: number): Promise<number> {
    return data;
  }

  @SubscribeMessage('events')
  findAll(@MessageBody() data: { page: number }) {
    return { event: 'events', data };
  }
}
`,
      'message/message.module.ts': module(
        'MessageModule',
        "import { MessageGateway } from './message.gateway';\n",
        '\n    MessageGateway,\n  ',
      ),
    },
    expected: {
      namespace: '/messages',
      rooms: 'tenant',
      serverEvents: {
        'message.message': { payload: { text: 'json' }, audience: { to: 'tenant' } },
      },
      clientEvents: {
        'message.sendMessage': { payload: { text: 'json' } },
        'message.identity': { payload: { data: 'number' } },
        'message.events': { payload: { page: 'number' } },
      },
    },
  },
  {
    title: 'zod schemas and a wrapper that takes the name of the event',
    name: 'Order',
    plural: 'orders',
    files: {
      'realtime-old/order.schema.ts': `import { z } from 'zod';

export const orderUpdatedSchema = z.object({
  orderId: z.string().uuid(),
  status: z.enum(['open', 'paid']),
  lines: z.array(z.object({ sku: z.string() })),
  total: z.number().int().optional(),
});
export type OrderUpdated = z.infer<typeof orderUpdatedSchema>;
`,
      'realtime-old/order.gateway.ts': `${IMPORTS}
@WebSocketGateway({ namespace: '/orders' })
export class OrderGateway {
  @WebSocketServer()
  server: Server;

  emitToUser(userId: string, event: string, data: unknown) {
    this.server.to(userId).emit(event, data);
  }
}
`,
      'orders/orders.service.ts': `import { Injectable } from '@nestjs/common';
import { OrderGateway } from '../realtime-old/order.gateway';
import type { OrderUpdated } from '../realtime-old/order.schema';

@Injectable()
export class OrdersService {
  constructor(private readonly gateway: OrderGateway) {}

  update(customer: string, order: OrderUpdated) {
    // mine: the customer is told
    this.gateway.emitToUser(customer, 'order_updated', order);
  }
}
`,
      'orders/orders.module.ts': module(
        'OrdersModule',
        "import { OrderGateway } from '../realtime-old/order.gateway';\nimport { OrdersService } from './orders.service';\n",
        'OrderGateway, OrdersService',
      ),
    },
    expected: {
      namespace: '/orders',
      rooms: 'tenant',
      serverEvents: {
        'order.orderUpdated': {
          payload: {
            orderId: 'uuid',
            status: 'enum(open|paid)',
            lines: 'json[]',
            'total?': 'integer',
            userId: 'string',
          },
          audience: { to: 'user', field: 'userId' },
        },
      },
      clientEvents: {},
    },
  },
  {
    title: 'at the path of the generated files',
    name: 'Task',
    plural: 'tasks',
    files: {
      'realtime/tasks/tasks.gateway.ts': `${IMPORTS}import { TasksService } from './tasks.service';

@WebSocketGateway({ namespace: '/tasks' })
export class TasksGateway {
  @WebSocketServer()
  server: Server;

  constructor(private readonly tasks: TasksService) {}

  @SubscribeMessage('task.complete')
  complete(@MessageBody() body: { taskId: string }) {
    const done = this.tasks.complete(body.taskId);
    this.server.emit('task.completed', { taskId: body.taskId });
    return done;
  }
}
`,
      'realtime/tasks/tasks.service.ts': `import { Injectable } from '@nestjs/common';

@Injectable()
export class TasksService {
  private readonly done = new Set<string>();

  complete(taskId: string) {
    this.done.add(taskId);
    return { taskId };
  }
}
`,
      'realtime/tasks/tasks.module.ts': module(
        'TasksModule',
        "import { TasksGateway } from './tasks.gateway';\nimport { TasksService } from './tasks.service';\n",
        'TasksGateway, TasksService',
      ),
    },
    expected: {
      namespace: '/tasks',
      rooms: 'tenant',
      serverEvents: {
        'task.completed': { payload: { taskId: 'string' }, audience: { to: 'tenant' } },
      },
      clientEvents: { 'task.complete': { payload: { taskId: 'string' } } },
    },
  },
  {
    title: 'CRLF, a barrel, utility types and a role of its own',
    name: 'ActivityFeed',
    plural: 'activity-feeds',
    files: {
      'activity/index.ts':
        "export * from './types';\r\nexport { ActivityFeedGateway } from './activity-feed.gateway';\r\n",
      'activity/types.ts':
        "interface Base {\r\n  id: string;\r\n  secret: string;\r\n}\r\n\r\nexport interface Activity extends Base {\r\n  verb: string;\r\n  at: string | undefined;\r\n}\r\n\r\nexport type PublicActivity = Omit<Activity, 'secret'> & { readonly actor: { name: string } };\r\n",
      'activity/roles.guard.ts':
        'export class RolesGuard {\r\n  canActivate() {\r\n    return true;\r\n  }\r\n}\r\n',
      'activity/activity-feed.gateway.ts': `import { UseGuards } from '@nestjs/common';
${IMPORTS}import { RolesGuard } from './roles.guard';
import { PublicActivity } from './types';

@WebSocketGateway({ namespace: 'activity-feed' })
export class ActivityFeedGateway {
  @WebSocketServer()
  server: Server;

  publish(tenantId: string, activity: PublicActivity) {
    this.server.to(\`tenant-\${tenantId}\`).emit('activity', activity);
  }

  @UseGuards(RolesGuard)
  @SubscribeMessage('clear-all')
  clear(@MessageBody() body: { before: string }) {
    return { cleared: body.before };
  }
}
`.replaceAll('\n', '\r\n'),
      'activity/activity.module.ts': module(
        'ActivityModule',
        "import { ActivityFeedGateway } from '.';\n",
        'ActivityFeedGateway',
      ).replaceAll('\n', '\r\n'),
    },
    expected: {
      namespace: '/activity-feed',
      rooms: 'tenant',
      serverEvents: {
        'activityFeed.activity': {
          payload: { id: 'string', verb: 'string', 'at?': 'string', actor: 'json' },
          audience: { to: 'tenant' },
        },
      },
      clientEvents: { 'activityFeed.clearAll': { payload: { before: 'string' } } },
    },
  },
  {
    title: 'a handler with its service, in folders apart',
    name: 'Comment',
    plural: 'comments',
    files: {
      'comments/comments.service.ts': `import { Injectable } from '@nestjs/common';

export interface NewComment {
  postId: string;
  text: string;
}

@Injectable()
export class CommentsService {
  async create(comment: NewComment): Promise<NewComment & { id: string }> {
    return { ...comment, id: comment.postId };
  }
}
`,
      'comments/trim.ts': `export const trim = (text: string): string => text.trim();
`,
      'comments/comments.module.ts': `import { Module } from '@nestjs/common';
import { CommentsGateway } from '../sockets/comments.gateway';
import { CommentsService } from './comments.service';

@Module({
  providers: [
    CommentsService,
    CommentsGateway,
  ],
})
export class CommentsModule {}
`,
      'sockets/comments.gateway.ts': `${IMPORTS}import { CommentsService, NewComment } from '../comments/comments.service';
import { trim } from '../comments/trim';

@WebSocketGateway({ namespace: '/comments' })
export class CommentsGateway {
  @WebSocketServer()
  server: Server;

  constructor(private readonly comments: CommentsService) {}

  @SubscribeMessage('comment.create')
  async create(@MessageBody() { postId, text }: NewComment) {
    // mine: trimmed before it is kept
    const created = await this.comments.create({ postId, text: trim(text) });
    return { id: created.id };
  }

  @SubscribeMessage('comment.typing')
  typing(@ConnectedSocket() client: Socket, @MessageBody('postId') postId: string) {
    client.broadcast.emit('comment.typed', { postId });
  }
}
`,
    },
    expected: {
      namespace: '/comments',
      rooms: 'tenant',
      serverEvents: {
        'comment.typed': { payload: { postId: 'string' }, audience: { to: 'tenant' } },
      },
      clientEvents: {
        'comment.create': { payload: { postId: 'string', text: 'string' } },
        'comment.typing': { payload: { postId: 'string' } },
      },
    },
  },
];
