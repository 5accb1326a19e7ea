import { gateway, testRule } from './support/cases.js';

testRule('no-leak-after-disconnect', {
  valid: [
    gateway(`private users = new Map<string, string>();
  handleConnection(client: Socket) { this.users.set(client.id, client.data.sub); }
  handleDisconnect(client: Socket) { this.users.delete(client.id); }`),
    gateway(`private users: string[] = [];
  handleConnection(client: Socket) { this.users.push(client.id); }
  handleDisconnect(client: Socket) { this.users = this.users.filter((id) => id !== client.id); }`),
    gateway(`private users = {};
  handleConnection(client: Socket) { this.users[client.id] = 1; }
  handleDisconnect(client: Socket) { delete this.users[client.id]; }`),
    gateway(
      `private users = new WeakMap(); handleConnection(client: Socket) { this.users.set(client, 1); }`,
    ),
    // Keyed by something else, or kept by somebody else.
    gateway(
      `private seen = new Map(); @SubscribeMessage('a') a(client: Socket, room: string) { this.seen.set(room, 1); }`,
    ),
    gateway(
      `constructor(private readonly sessions: Sessions) {} handleConnection(client: Socket) { this.sessions.set(client.id, 1); }`,
    ),
    gateway(`handleConnection(client: Socket) {
    const timer = setInterval(() => client.emit('tick'), 1000);
    client.on('disconnect', () => clearInterval(timer)); }`),
    gateway(
      `handleConnection(client: Socket) { client.on('x', () => undefined); this.io.on('connection', () => undefined); }`,
    ),
    // Once for the whole server.
    gateway(`afterInit() { setInterval(() => this.count(), 1000); }`),
  ],
  invalid: [
    {
      code: gateway(
        `private users = new Map<string, string>(); handleConnection(client: Socket) { this.users.set(client.id, 'a'); }`,
      ),
      errors: ['entry'],
    },
    {
      code: gateway(
        `private sockets = new Set<Socket>(); @SubscribeMessage('a') a(@ConnectedSocket() client: Socket) { this.sockets.add(client); }`,
      ),
      errors: ['entry'],
    },
    {
      code: gateway(
        `private users = []; handleConnection(client: Socket) { this.users.push({ id: client.id }); }`,
      ),
      errors: ['entry'],
    },
    {
      code: gateway(
        `private users = {}; handleConnection(client: Socket) { this.users[client.id] = 1; }`,
      ),
      errors: ['entry'],
    },
    {
      code: gateway(
        `handleConnection(client: Socket) { setInterval(() => client.emit('tick'), 1000); }`,
      ),
      errors: ['interval'],
    },
    {
      code: gateway(`constructor(private readonly eventEmitter: EventEmitter2) {}
  handleConnection(client: Socket) { this.eventEmitter.on('x', (x) => client.emit('x', x)); }`),
      errors: ['listener'],
    },
  ],
});

testRule('no-logic-in-gateway', {
  valid: [
    gateway(
      `constructor(private readonly chat: ChatService) {} @SubscribeMessage('a') a(client: Socket, data: Dto) { return this.chat.say(data); }`,
    ),
    {
      code: gateway(`@SubscribeMessage('a') a() { const a = 1; const b = 2; return a + b; }`),
      options: [{ maxStatements: 3 }],
    },
    // A field that the decorator asks for, and nothing else reads.
    gateway(
      `constructor(private readonly em: EntityManager, private readonly chat: ChatService) {} @CreateRequestContext() @SubscribeMessage('a') a() { return this.chat.list(); }`,
    ),
  ],
  invalid: [
    {
      code: gateway(
        `constructor(private readonly prisma: PrismaService) {} a() { return this.prisma.user.count(); }`,
      ),
      errors: ['data'],
    },
    {
      code: gateway(
        `constructor(@InjectRepository(User) private readonly users) {} a() { return this.users.find(); }`,
      ),
      errors: ['data'],
    },
    {
      code: gateway(
        `constructor(private readonly users: Repository<User>) {} a() { return this.users.find(); }`,
      ),
      errors: ['data'],
    },
    {
      code: gateway(
        `@SubscribeMessage('a') a() { const a = 1; const b = 2; if (a) { return b; } return a; }`,
      ),
      options: [{ maxStatements: 4 }],
      errors: ['long'],
    },
  ],
});

const pipe = (decorators: string, param: string, body = 'return data.id;'): string =>
  gateway(`${decorators} @SubscribeMessage('a') a(${param}) { ${body} }`);

testRule('require-payload-validation', {
  valid: [
    pipe('@UsePipes(new ValidationPipe())', '@MessageBody() data: Dto'),
    pipe('', '@MessageBody(new ZodPipe(schema)) data: Dto'),
    pipe('', `@MessageBody('id', ParseIntPipe) id: number`, 'return id;'),
    pipe('', '@MessageBody() data: unknown', 'return schema.parse(data).id;'),
    pipe(
      '',
      '@MessageBody() data: Dto',
      `const result = chatSchema.safeParse(data); return result;`,
    ),
    pipe('', '@MessageBody() id: string', `if (typeof id !== 'string') return; return id;`),
    pipe('', '@MessageBody() data: Dto', 'return 1;'),
    pipe('', '@ConnectedSocket() client: Socket', 'return client.id;'),
    pipe('', '', 'return 1;'),
    // The base class may bind it.
    `import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
@WebSocketGateway() export class G extends Base { @SubscribeMessage('a') a(@MessageBody() data: Dto) { return data; } }`,
    `import { UsePipes } from '@nestjs/common'; import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
@UsePipes(new ValidationPipe()) @WebSocketGateway() export class G { @SubscribeMessage('a') a(@MessageBody() data: Dto) { return data; } }`,
  ],
  invalid: [
    { code: pipe('', '@MessageBody() data: Dto'), errors: ['unchecked'] },
    // Who may is another question than what it is.
    {
      code: pipe(
        '',
        '@MessageBody() data: Dto',
        'this.trips.assertMember(data.tripId); return data;',
      ),
      errors: ['unchecked'],
    },
    { code: pipe('', 'client: Socket, data: any'), errors: ['unchecked'] },
    { code: pipe('', `@MessageBody('id') id: string`, 'return id;'), errors: ['unchecked'] },
    { code: pipe('', '@MessageBody() { id }: Dto', 'return id;'), errors: ['unchecked'] },
    // That there is something says nothing of what it is.
    {
      code: pipe('', '@MessageBody() data: Dto', 'if (!data?.id) return; return data.id;'),
      errors: ['unchecked'],
    },
    {
      code: pipe('', '@MessageBody() data: string', 'return JSON.parse(data);'),
      errors: ['unchecked'],
    },
  ],
});
