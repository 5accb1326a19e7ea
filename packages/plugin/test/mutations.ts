/** One protection taken out of the emitted code: a test must go red for it. */
export interface Mutation {
  /** In kebab-case; also the folder that the mutant is rendered into. */
  readonly name: string;
  /** End of its path in the host. */
  readonly file: string;
  /** Rendered text that occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Of the files in test/kernel, the one that must go red. */
  readonly test: string;
}

/** The rendered folder of a mutant. */
export const mutantHost = ({ name }: Mutation): string => `mutant-${name}`;

/**
 * What renderHost does to the files of a mutant.
 *
 * @throws Error when the text to replace is not there exactly once
 */
export function mutate({ name, file, find, replace }: Mutation) {
  return (path: string, content: string): string => {
    if (!path.endsWith(`/${file}`)) return content;
    const [before, after, ...more] = content.split(find);
    if (before === undefined || after === undefined || more.length > 0) {
      throw new Error(`Mutation ${name}: its text is not found exactly once in ${file}`);
    }
    return before + replace + after;
  };
}

export const MUTATIONS: readonly Mutation[] = [
  // Handshake
  {
    name: 'authentication-skipped',
    file: 'core/realtime.adapter.ts',
    find: '(error: unknown) => this.refuse(socket, error, next),',
    replace: '() => next(),',
    test: 'handshake.test.ts',
  },
  {
    name: 'root-namespace-open',
    file: 'core/realtime.adapter.ts',
    find: 'this.refuse(socket, error, next);',
    replace: 'next();',
    test: 'handshake.test.ts',
  },
  {
    name: 'refused-connection-stays',
    file: 'core/realtime.adapter.ts',
    find: 'if (!this.sessions.isLive(conn)) {',
    replace: 'if (false) {',
    test: 'handshake.test.ts',
  },
  {
    name: 'refusal-cuts-other-namespaces',
    file: 'core/realtime.adapter.ts',
    find: 'if (!this.sessions.isLive(conn)) {',
    replace: 'if (true) {',
    test: 'handshake.test.ts',
  },
  {
    name: 'inner-text-in-refusal',
    file: 'core/realtime.errors.ts',
    find: 'new Error(RETRYABLE[known])',
    replace: 'new Error(String(error))',
    test: 'handshake.test.ts',
  },
  {
    name: 'token-left-in-handshake',
    file: 'guards/ws-auth.guard.ts',
    find: "delete auth['token'];",
    replace: '',
    test: 'handshake.test.ts',
  },
  {
    name: 'hooks-not-contained',
    file: 'core/realtime.adapter.ts',
    find: 'this.containHooks();',
    replace: '',
    test: 'handshake.test.ts',
  },
  {
    name: 'failed-hook-keeps-socket',
    file: 'core/realtime.adapter.ts',
    find: 'setImmediate(() => socket.disconnect());',
    replace: '',
    test: 'handshake.test.ts',
  },
  {
    name: 'one-server-per-gateway',
    file: 'core/realtime.adapter.ts',
    find: 'if (this.io) {',
    replace: 'if (this.io && false) {',
    test: 'handshake.test.ts',
  },

  // Tokens
  {
    name: 'algorithms-not-pinned',
    file: 'core/token-verifier.ts',
    find: 'algorithms: [...algorithms], issuer, audience }',
    replace: 'issuer, audience }',
    test: 'handshake.test.ts',
  },
  {
    name: 'issuer-ignored',
    file: 'core/token-verifier.ts',
    find: 'algorithms: [...algorithms], issuer, audience }',
    replace: 'algorithms: [...algorithms], audience }',
    test: 'handshake.test.ts',
  },
  {
    name: 'audience-ignored',
    file: 'core/token-verifier.ts',
    find: 'algorithms: [...algorithms], issuer, audience }',
    replace: 'algorithms: [...algorithms], issuer }',
    test: 'handshake.test.ts',
  },
  {
    name: 'jwks-algorithms-not-pinned',
    file: 'core/token-verifier.ts',
    find: `algorithms: [...algorithms],\n      ...(issuer && { issuer }),`,
    replace: '...(issuer && { issuer }),',
    test: 'handshake.test.ts',
  },
  {
    name: 'jwks-issuer-ignored',
    file: 'core/token-verifier.ts',
    find: '...(issuer && { issuer }),',
    replace: '',
    test: 'handshake.test.ts',
  },
  {
    name: 'jwks-audience-ignored',
    file: 'core/token-verifier.ts',
    find: '...(audience && { audience }),',
    replace: '',
    test: 'handshake.test.ts',
  },
  {
    name: 'jwks-outage-is-final',
    file: 'core/token-verifier.ts',
    find: "if (code.startsWith('ERR_J') && !KEYS_UNAVAILABLE.includes(code)) {",
    replace: 'if (true) {',
    test: 'handshake.test.ts',
  },
  {
    name: 'exp-not-required',
    file: 'core/token-verifier.ts',
    find: " || typeof exp !== 'number'",
    replace: '',
    test: 'handshake.test.ts',
  },
  {
    name: 'sub-not-checked',
    file: 'core/token-verifier.ts',
    find: '!isId(userId) || ',
    replace: '',
    test: 'handshake.test.ts',
  },
  {
    name: 'tenant-not-checked',
    file: 'core/token-verifier.ts',
    find: '!isId(tenantId) || ',
    replace: '',
    test: 'handshake.test.ts',
  },

  // Configuration
  {
    name: 'weak-secret',
    file: 'core/realtime.config.ts',
    find: 'Buffer.byteLength(value) >= 32',
    replace: 'value.length > 0',
    test: 'config.test.ts',
  },
  {
    name: 'weak-rsa-key',
    file: 'core/realtime.config.ts',
    find: 'modulusLength >= 2_048 ? RSA : []',
    replace: 'RSA',
    test: 'config.test.ts',
  },
  {
    name: 'any-curve',
    file: 'core/realtime.config.ts',
    find: 'return algorithm ? [algorithm] : [];',
    replace: 'return EC;',
    test: 'config.test.ts',
  },
  {
    name: 'pem-line-breaks',
    file: 'core/realtime.config.ts',
    find: "pem.replace(/\\\\n/g, '\\n')",
    replace: 'pem',
    test: 'config.test.ts',
  },
  {
    name: 'algorithms-of-another-key',
    file: 'core/realtime.config.ts',
    find: 'if (algorithms.length < (data.JWT_ALGORITHMS?.length ?? 1)) {',
    replace: 'if (false) {',
    test: 'config.test.ts',
  },
  {
    name: 'two-keys',
    file: 'core/realtime.config.ts',
    find: 'if (set.length > 1) {',
    replace: 'if (false) {',
    test: 'config.test.ts',
  },
  {
    name: 'tcp-in-production',
    file: 'core/realtime.config.ts',
    find: "if (REALTIME_TRANSPORT === 'tcp' && NODE_ENV === 'production') {",
    replace: 'if (false) {',
    test: 'config.test.ts',
  },
  {
    name: 'wildcard-origin',
    file: 'core/realtime.config.ts',
    find: "!value.includes('*')",
    replace: 'true',
    test: 'config.test.ts',
  },
  {
    name: 'origin-with-a-path',
    file: 'core/realtime.config.ts',
    find: 'parsed.href === `${parsed.origin}/` &&',
    replace: '',
    test: 'config.test.ts',
  },
  {
    name: 'jwks-over-http',
    file: 'core/realtime.config.ts',
    find: "['localhost', '127.0.0.1', '[::1]'].includes(hostname ?? '')",
    replace: 'true',
    test: 'config.test.ts',
  },

  // Transport
  {
    name: 'any-origin',
    file: 'core/realtime.adapter.ts',
    find: ': this.config.origins.includes(origin);',
    replace: ': true;',
    test: 'handshake.test.ts',
  },
  {
    name: 'origin-by-prefix',
    file: 'core/realtime.adapter.ts',
    find: ': this.config.origins.includes(origin);',
    replace: ': this.config.origins.some((known) => origin.startsWith(known));',
    test: 'handshake.test.ts',
  },
  {
    name: 'no-origin-policy',
    file: 'core/realtime.adapter.ts',
    find: '? this.config.allowNoOrigin',
    replace: '? true',
    test: 'handshake.test.ts',
  },
  {
    name: 'polling',
    file: 'core/realtime.adapter.ts',
    find: "transports: ['websocket'],",
    replace: "transports: ['websocket', 'polling'],",
    test: 'handshake.test.ts',
  },
  {
    name: 'engine-io-3',
    file: 'core/realtime.adapter.ts',
    find: 'allowEIO3: false,',
    replace: 'allowEIO3: true,',
    test: 'handshake.test.ts',
  },
  {
    name: 'compression',
    file: 'core/realtime.adapter.ts',
    find: 'perMessageDeflate: false,',
    replace: 'perMessageDeflate: {},',
    test: 'handshake.test.ts',
  },
  {
    name: 'client-files',
    file: 'core/realtime.adapter.ts',
    find: 'serveClient: false,',
    replace: 'serveClient: true,',
    test: 'handshake.test.ts',
  },
  {
    name: 'message-size',
    file: 'core/realtime.adapter.ts',
    find: 'maxHttpBufferSize: this.config.limits.maxMessageBytes,',
    replace: '',
    test: 'handshake.test.ts',
  },
  {
    name: 'connect-timeout',
    file: 'core/realtime.adapter.ts',
    find: 'connectTimeout: 10_000,',
    replace: '',
    test: 'handshake.test.ts',
  },
  {
    name: 'recovery-on',
    file: 'core/realtime.adapter.ts',
    find: 'serveClient: false,',
    replace: `serveClient: false,\n      connectionStateRecovery: { skipMiddlewares: false },`,
    test: 'recovery.test.ts',
  },

  // Token life
  {
    name: 'expiry-not-announced',
    file: 'core/session.ts',
    find: "socket.emit('realtime.expired');",
    replace: '',
    test: 'session.test.ts',
  },
  {
    name: 'expired-sockets-stay',
    file: 'core/session.ts',
    find: `      socket.disconnect(true);
    }
    // One whose first namespace is not connected yet has no sockets.
    conn.close();`,
    replace: '    }',
    test: 'session.test.ts',
  },
  {
    name: 'ended-connection-stays',
    file: 'core/session.ts',
    find: `    conn.close();
`,
    replace: '',
    test: 'revocation.test.ts',
  },
  {
    name: 'no-grace',
    file: 'core/session.ts',
    find: 'this.config.limits.graceMs,',
    replace: '0,',
    test: 'session.test.ts',
  },
  {
    name: 'timer-overflow',
    file: 'core/session.ts',
    find: 'Math.min(left, MAX_DELAY_MS),',
    replace: 'left,',
    test: 'session.test.ts',
  },
  {
    name: 'cut-when-the-timer-ends',
    file: 'core/session.ts',
    find: 'left > MAX_DELAY_MS',
    replace: 'false',
    test: 'session.test.ts',
  },
  {
    name: 'refresh-by-another-user',
    file: 'core/session.ts',
    find: 'userId !== identity.userId || ',
    replace: '',
    test: 'session.test.ts',
  },
  {
    name: 'refresh-by-another-tenant',
    file: 'core/session.ts',
    find: ' || tenantId !== identity.tenantId',
    replace: '',
    test: 'session.test.ts',
  },
  {
    name: 'older-token-shortens',
    file: 'core/session.ts',
    find: 'if (expiresAt <= identity.expiresAt) {',
    replace: 'if (false) {',
    test: 'session.test.ts',
  },
  {
    name: 'older-token-of-a-second-namespace',
    file: 'core/session.ts',
    find: 'socket.data.identity = session.identity;',
    replace: '',
    test: 'session.test.ts',
  },
  {
    name: 'refresh-reaches-no-socket',
    file: 'core/session.ts',
    find: 'socket.data.identity = token.identity;',
    replace: '',
    test: 'session.test.ts',
  },
  {
    name: 'session-on-a-closed-connection',
    file: 'core/session.ts',
    find: "if (conn.readyState !== 'open') {",
    replace: 'if (false) {',
    test: 'session.test.ts',
  },
  {
    name: 'refresh-on-a-closed-connection',
    file: 'core/session.ts',
    find: 'if (!session || !socket.connected) {',
    replace: 'if (!session) {',
    test: 'session.test.ts',
  },
  {
    name: 'timer-outlives-connection',
    file: 'core/session.ts',
    find: "conn.once('close', () => clearTimeout(opened.timer));",
    replace: '',
    test: 'session.test.ts',
  },
  {
    name: 'served-after-expiry',
    file: 'guards/ws-auth.guard.ts',
    find: 'data.identity.expiresAt <= Date.now()',
    replace: 'false',
    test: 'session.test.ts',
  },
  {
    name: 'gateway-without-guard',
    file: 'notifications/notifications.gateway.ts',
    find: `@UseGuards(WsAuthGuard)\n`,
    replace: '',
    test: 'session.test.ts',
  },
  {
    name: 'guard-on-http',
    file: 'guards/ws-auth.guard.ts',
    find: "if (context.getType() !== 'ws') {",
    replace: 'if (false) {',
    test: 'host-globals.test.ts',
  },

  // Tenancy
  {
    name: 'rooms-of-the-client',
    file: 'core/session.ts',
    find: 'return joinedRooms(this.joined.get(socket.nsp.name), token);',
    replace: `const identity = { ...token.identity, ...socket.handshake.auth };
    return joinedRooms(this.joined.get(socket.nsp.name), { ...token, identity });`,
    test: 'recipients.test.ts',
  },
  {
    name: 'tenant-room-for-all',
    file: 'core/rooms.ts',
    find: `if (joined === 'tenant') {`,
    replace: 'if (true) {',
    test: 'broadcaster.test.ts',
  },
  {
    name: 'room-encoding',
    file: 'core/rooms.ts',
    find: 'return encodeURIComponent(id);',
    replace: 'return id;',
    test: 'rooms.test.ts',
  },
  {
    name: 'long-ids',
    file: 'core/rooms.ts',
    find: '{1,256}',
    replace: '{1,}',
    test: 'rooms.test.ts',
  },
  {
    name: 'empty-ids',
    file: 'core/rooms.ts',
    find: '{1,256}',
    replace: '{0,256}',
    test: 'rooms.test.ts',
  },
  {
    name: 'control-characters',
    file: 'core/rooms.ts',
    find: '\\p{Cc}',
    replace: '',
    test: 'rooms.test.ts',
  },
  {
    name: 'lone-surrogates',
    file: 'core/rooms.ts',
    find: '\\p{Cs}',
    replace: '',
    test: 'rooms.test.ts',
  },
  {
    name: 'ids-of-any-type',
    file: 'core/rooms.ts',
    find: "typeof value === 'string' && ",
    replace: '',
    test: 'rooms.test.ts',
  },
  {
    name: 'empty-target',
    file: 'core/rooms.ts',
    find: 'if (!isId(id)) {',
    replace: 'if (false) {',
    test: 'broadcaster.test.ts',
  },
  {
    name: 'to-everyone',
    file: 'core/broadcaster.ts',
    find: '.to(room)',
    replace: '',
    test: 'broadcaster.test.ts',
  },

  // Messages
  {
    name: 'no-validation',
    file: 'core/client-event.ts',
    find: 'const result = this.schema.safeParse(payload);',
    replace:
      'const result = { success: true, data: payload as T, error: { issues: [] as { path: string[]; message: string }[] } };',
    test: 'client-event.test.ts',
  },
  {
    name: 'gateway-without-validation',
    file: 'notifications/notifications.gateway.ts',
    find: 'new ContractPipe(notificationMarkReadSchema)',
    replace: '',
    test: 'client-event.test.ts',
  },
  {
    name: 'unknown-fields',
    file: 'realtime-contracts/src/notifications.contract.ts',
    find: 'z.strictObject({',
    replace: 'z.object({',
    test: 'client-event.test.ts',
  },
  {
    name: 'all-issues-told',
    file: 'core/client-event.ts',
    find: '.slice(0, 10)',
    replace: '',
    test: 'client-event.test.ts',
  },
  {
    name: 'nothing-is-not-acknowledged',
    file: 'core/client-event.ts',
    find: 'defaultIfEmpty(null),',
    replace: '',
    test: 'client-event.test.ts',
  },
  {
    name: 'endless-streams',
    file: 'core/client-event.ts',
    find: 'take(1),',
    replace: '',
    test: 'client-event.test.ts',
  },
  {
    name: 'undefined-data',
    file: 'core/client-event.ts',
    find: 'data: data ?? null',
    replace: 'data',
    test: 'client-event.test.ts',
  },
  {
    name: 'gateway-without-acks',
    file: 'notifications/notifications.gateway.ts',
    find: `@UseInterceptors(AckInterceptor)\n`,
    replace: '',
    test: 'client-event.test.ts',
  },
  {
    name: 'errors-not-acknowledged',
    file: 'notifications/notifications.gateway.ts',
    find: `@UseFilters(AckExceptionFilter)\n`,
    replace: '',
    test: 'client-event.test.ts',
  },
  {
    name: 'inner-text-in-acks',
    file: 'core/client-event.ts',
    find: "message: 'Internal error' } };",
    replace: 'message: String(error) } };',
    test: 'client-event.test.ts',
  },
  {
    name: 'any-error-told',
    file: 'core/client-event.ts',
    find: 'if (error instanceof RealtimeException) {',
    replace: 'if (error instanceof Error) {',
    test: 'client-event.test.ts',
  },
  {
    name: 'errors-not-logged',
    file: 'core/client-event.ts',
    find: 'logger.error(error instanceof Error ? error.stack : String(error));',
    replace: '',
    test: 'client-event.test.ts',
  },
  {
    name: 'guard-refusal-is-internal',
    file: 'core/client-event.ts',
    find: "if (error instanceof WsException && error.message === 'Forbidden resource') {",
    replace: 'if (false) {',
    test: 'client-event.test.ts',
  },
  {
    name: 'unknown-events-unanswered',
    file: 'core/client-event.ts',
    find: "event !== 'error' && socket.listenerCount(event) > 0",
    replace: "event !== 'error'",
    test: 'client-event.test.ts',
  },
  {
    name: 'error-event-reaches-socket-io',
    file: 'core/client-event.ts',
    find: "event !== 'error' && ",
    replace: '',
    test: 'client-event.test.ts',
  },

  // Broker
  {
    name: 'rpc-answered',
    file: 'core/broker.ts',
    find: "if (own(body, 'id') !== undefined) {",
    replace: 'if (false) {',
    test: 'broker/tcp-broker.test.ts',
  },
  {
    name: 'event-without-tenant',
    file: 'core/broker.ts',
    find: 'if (!isId(tenantId)) {',
    replace: 'if (false) {',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'event-not-validated',
    file: 'core/broker.ts',
    find: 'const parsed = schema.safeParse(own(data, key));',
    replace:
      'const parsed = { success: true, data: own(data, key) as T, error: { issues: [] as { path: string[]; message: string }[] } };',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'event-without-recipient',
    file: 'core/broker.ts',
    find: 'if (!isId(id)) {',
    replace: 'if (false) {',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'duplicates-sent',
    file: 'core/broker.ts',
    find: 'if (key && !this.recent.add(key)) {',
    replace: 'if (false) {',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'failed-event-is-a-duplicate',
    file: 'core/broker.ts',
    find: 'this.recent.delete(key);',
    replace: '',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'ids-kept-for-ever',
    file: 'core/broker.ts',
    find: 'if (this.ids.size > this.limit) {',
    replace: 'if (false) {',
    test: 'broker/dispatcher.test.ts',
  },
  {
    name: 'handlers-of-the-host',
    file: 'core/broker.ts',
    find: "own(extras, 'realtime') === true",
    replace: 'true',
    test: 'broker/tcp-broker.test.ts',
  },
  {
    name: 'pattern-differs-from-routing-key',
    file: 'core/rmq.broker.ts',
    find: 'if (envelope.pattern !== message.fields.routingKey) {',
    replace: 'if (false) {',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'reply-to-taken',
    file: 'core/rmq.broker.ts',
    find: 'if (message.properties.replyTo !== undefined) {',
    replace: 'if (false) {',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'events-of-any-size',
    file: 'core/rmq.broker.ts',
    find: 'if (message.content.length > MAX_EVENT_BYTES) {',
    replace: 'if (false) {',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'acknowledged-unseen',
    file: 'core/rmq.broker.ts',
    find: 'noAck: false',
    replace: 'noAck: true',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'no-dead-letters',
    file: 'core/rmq.broker.ts',
    find: 'await this.deadLetter(channel, message, outcome);',
    replace: 'channel.ack(message);',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'no-dead-letter-reason',
    file: 'core/rmq.broker.ts',
    find: "'x-realtime-reason':",
    replace: "'x-other':",
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'dead-letter-copies',
    file: 'core/rmq.broker.ts',
    find: 'CC: undefined,',
    replace: '',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'retries-without-end',
    file: 'core/rmq.broker.ts',
    find: "'x-delivery-limit': RETRIES,",
    replace: '',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'not-drained',
    file: 'core/rmq.broker.ts',
    find: 'await this.dispatcher.drained();',
    replace: '',
    test: 'broker/rmq-broker.test.ts',
  },
  {
    name: 'consumer-cancelled',
    file: 'core/rmq.broker.ts',
    find: '      channel.close().catch(() => undefined);',
    replace: '',
    test: 'broker/rmq-faults.test.ts',
  },
  {
    name: 'other-arguments-retried',
    file: 'core/rmq.broker.ts',
    find: 'if (isPreconditionFailed(error)) {',
    replace: 'if (false) {',
    test: 'broker/rmq-faults.test.ts',
  },
  {
    name: 'tcp-on-every-interface',
    file: 'core/tcp.broker.ts',
    find: "host: '127.0.0.1', ",
    replace: "host: '0.0.0.0', ",
    test: 'broker/tcp-broker.test.ts',
  },
  {
    name: 'tcp-message-size',
    file: 'core/tcp.broker.ts',
    find: ', maxBufferSize: MAX_EVENT_BYTES',
    replace: '',
    test: 'broker/tcp-broker.test.ts',
  },
  {
    name: 'consumes-before-listening',
    file: 'setup-realtime.ts',
    find: "server.once('listening', () =>",
    replace: 'setImmediate(() =>',
    test: 'broker/setup-realtime.test.ts',
  },
  {
    name: 'http-pipes-on-events',
    file: 'setup-realtime.ts',
    find: 'inheritAppConfig: false',
    replace: 'inheritAppConfig: true',
    test: 'host-globals.test.ts',
  },

  // Replicas
  {
    name: 'shared-redis-key',
    file: 'core/realtime.adapter.ts',
    find: '`${app.get<string>(REALTIME_APP)}:${environment}`',
    replace: "'socket.io'",
    test: 'redis.test.ts',
  },
  {
    name: 'redis-outage-is-fatal',
    file: 'core/redis.ts',
    find: 'Promise.resolve(sent).catch(report);',
    replace: '',
    test: 'redis.test.ts',
  },
  {
    name: 'redis-left-open',
    file: 'core/realtime.adapter.ts',
    find: 'this.redis?.close();',
    replace: '',
    test: 'redis.test.ts',
  },

  // Limits
  {
    name: 'socket-rate-unlimited',
    file: 'core/connection-limits.ts',
    find: 'ofSocket.take() || ofUser.events.take()',
    replace: 'ofUser.events.take()',
    test: 'limits.test.ts',
  },
  {
    name: 'user-rate-unlimited',
    file: 'core/connection-limits.ts',
    find: 'ofSocket.take() || ofUser.events.take()',
    replace: 'ofSocket.take()',
    test: 'limits.test.ts',
  },
  {
    name: 'user-rate-anew-on-reconnect',
    file: 'core/connection-limits.ts',
    find: 'if (connections === 0 && events.isFull())',
    replace: 'if (connections === 0)',
    test: 'limits.test.ts',
  },
  {
    name: 'rate-limited-event-served',
    file: 'core/client-event.ts',
    find: `      });
      return;
    }
    // Socket`,
    replace: `      });
    }
    // Socket`,
    test: 'limits.test.ts',
  },
  {
    name: 'rate-limited-event-unanswered',
    file: 'core/client-event.ts',
    find: `const retryAfterMs = countEvent();
    if (retryAfterMs > 0) {`,
    replace: `const retryAfterMs = countEvent();
    if (retryAfterMs > 0) {
      return;`,
    test: 'limits.test.ts',
  },
  {
    name: 'bucket-without-bottom',
    file: 'core/rate-limit.ts',
    find: 'if (wait >= 1)',
    replace: 'if (wait >= 1e9)',
    test: 'limits.test.ts',
  },
  {
    name: 'bucket-saves-for-ever',
    file: 'core/rate-limit.ts',
    find: 'Math.max(this.fullAt, now) + tokens * interval',
    replace: '(this.fullAt || now) + tokens * interval',
    test: 'limits.test.ts',
  },
  {
    name: 'addresses-unbounded',
    file: 'core/rate-limit.ts',
    find: 'this.buckets.size <= this.maxKeys',
    replace: 'this.buckets.size > 0',
    test: 'limits.test.ts',
  },
  {
    name: 'addresses-kept',
    file: 'core/rate-limit.ts',
    find: 'if (bucket.isFull())',
    replace: 'if (bucket.isFull() && bucket.take() > 0)',
    test: 'limits.test.ts',
  },
  {
    name: 'active-address-forgotten-first',
    file: 'core/rate-limit.ts',
    find: `    this.buckets.delete(key);
    this.buckets.set(key, bucket);`,
    replace: '    this.buckets.set(key, bucket);',
    test: 'limits.test.ts',
  },
  {
    name: 'flood-not-cut',
    file: 'core/connection-limits.ts',
    find: 'if (packets.take(1 + bytes / PACKET_BYTES) > 0) {',
    replace: 'if (packets.take(0) > 0) {',
    test: 'limits.test.ts',
  },
  {
    name: 'flood-of-pings-not-cut',
    file: 'core/connection-limits.ts',
    find: `rawSocket(conn)?.on('ping', () => count(0));`,
    replace: '',
    test: 'limits.test.ts',
  },
  {
    name: 'flood-of-large-packets-not-cut',
    file: 'core/connection-limits.ts',
    find: '1 + bytes / PACKET_BYTES',
    replace: '1',
    test: 'limits.test.ts',
  },
  {
    name: 'flood-cut-not-told',
    file: 'core/connection-limits.ts',
    find: "socket.emit('realtime.kicked', { code: 'RATE_LIMITED' });",
    replace: '',
    test: 'limits.test.ts',
  },
  {
    name: 'flood-goes-on-after-close',
    file: 'core/connection-limits.ts',
    find: 'setTimeout(() => rawSocket(conn)?.terminate(), FAREWELL_MS).unref();',
    replace: '',
    test: 'limits.test.ts',
  },
  {
    name: 'connections-uncapped',
    file: 'core/connection-limits.ts',
    find: 'if (user.connections >= this.limits.maxConnectionsPerUser)',
    replace: 'if (user.connections < 0)',
    test: 'limits.test.ts',
  },
  {
    name: 'connections-leak',
    file: 'core/connection-limits.ts',
    find: "conn.once('close', () => (user.connections -= 1));",
    replace: '',
    test: 'limits.test.ts',
  },
  {
    name: 'users-kept',
    file: 'core/connection-limits.ts',
    find: 'this.users.delete(key);',
    replace: '',
    test: 'limits.test.ts',
  },
  {
    name: 'connections-tracked-for-ever',
    file: 'core/connection-limits.ts',
    find: "conn.once('close', () => this.connections.delete(conn));",
    replace: '',
    test: 'limits.test.ts',
  },
  {
    name: 'namespace-twice',
    file: 'core/connection-limits.ts',
    find: 'sockets?.has(socket.nsp.name) ?? true',
    replace: 'false',
    test: 'limits.test.ts',
  },
  {
    name: 'namespace-kept-after-refusal',
    file: 'core/realtime.adapter.ts',
    find: `this.limits.leave(socket);
    next(refusal);`,
    replace: 'next(refusal);',
    test: 'limits.test.ts',
  },
  {
    name: 'namespace-kept-after-leaving',
    file: 'core/realtime.adapter.ts',
    find: "socket.on('disconnect', () => this.limits.leave(socket));",
    replace: '',
    test: 'limits.test.ts',
  },
  {
    name: 'duplicate-frees-the-first',
    file: 'core/connection-limits.ts',
    find: `if (sockets?.get(socket.nsp.name) === socket) {
      sockets.delete`,
    replace: `if (sockets) {
      sockets.delete`,
    test: 'limits.test.ts',
  },
  {
    name: 'handshakes-unlimited',
    file: 'core/realtime.adapter.ts',
    find: "return this.limits.takeHandshake(request) ? null : 'RATE_LIMITED';",
    replace: 'return null;',
    test: 'limits.test.ts',
  },
  {
    name: 'tokens-tried-unlimited',
    file: 'core/connection-limits.ts',
    find: 'if (isRepeated || !this.takeHandshake(socket.request))',
    replace: 'if (isRepeated)',
    test: 'limits.test.ts',
  },
  {
    name: 'foreign-site-uses-up-address',
    file: 'core/realtime.adapter.ts',
    find: `    if (!isAllowed) {
      return 'ORIGIN';`,
    replace: `    if (!isAllowed) {
      this.limits.takeHandshake(request);
      return 'ORIGIN';`,
    test: 'limits.test.ts',
  },
  {
    name: 'left-most-forwarded-trusted',
    file: 'core/security-log.ts',
    find: "forwarded.split(',').slice(-trustedProxies)",
    replace: "forwarded.split(',')",
    test: 'limits.test.ts',
  },
  {
    name: 'forwarded-always-trusted',
    file: 'core/security-log.ts',
    find: "trustedProxies > 0 ? forwarded.split(',').slice(-trustedProxies) : []",
    replace: "forwarded.split(',').slice(-1)",
    test: 'limits.test.ts',
  },
  {
    name: 'forwarded-text-taken-over',
    file: 'core/security-log.ts',
    find: 'isIP(claimed.trim()) ? claimed.trim() : direct',
    replace: 'claimed.trim() || direct',
    test: 'limits.test.ts',
  },
  {
    name: 'ipv6-address-by-address',
    file: 'core/security-log.ts',
    find: "if (!address.includes(':'))",
    replace: 'if (address)',
    test: 'limits.test.ts',
  },
  {
    name: 'deep-payloads',
    file: 'core/client-event.ts',
    find: 'depth > 0 &&',
    replace: 'depth > -1e9 &&',
    test: 'limits.test.ts',
  },
  {
    name: 'huge-payloads',
    file: 'core/client-event.ts',
    find: 'left >= 0 &&',
    replace: '',
    test: 'limits.test.ts',
  },
  {
    name: 'proto-keys',
    file: 'core/client-event.ts',
    find: "!Object.prototype.hasOwnProperty.call(item, '__proto__') &&",
    replace: '',
    test: 'limits.test.ts',
  },
  {
    name: 'harm-not-looked-for',
    file: 'core/client-event.ts',
    find: 'isKnown && isHarmless(args)',
    replace: 'isKnown',
    test: 'limits.test.ts',
  },
  {
    name: 'deep-auth',
    file: 'core/realtime.adapter.ts',
    find: 'if (!isHarmless(socket.handshake.auth))',
    replace: 'if (!socket)',
    test: 'limits.test.ts',
  },
  {
    name: 'slow-readers-stay',
    file: 'core/connection-limits.ts',
    find: 'if (bufferedBytes(conn) > this.limits.maxBufferedBytes)',
    replace: 'if (bufferedBytes(conn) < 0)',
    test: 'slow-reader.test.ts',
  },
  {
    name: 'slow-reader-asked-politely',
    file: 'core/connection-limits.ts',
    find: `rawSocket(conn)?.terminate();
      }
    }`,
    replace: `conn.close();
      }
    }`,
    test: 'slow-reader.test.ts',
  },
  {
    name: 'handshake-refusals-unlogged',
    file: 'core/realtime.adapter.ts',
    find: `this.securityLog.report(
      'handshake refused',`,
    replace: `((..._: unknown[]) => undefined)(
      'handshake refused',`,
    test: 'security-log.test.ts',
  },
  {
    name: 'upgrade-refusals-unlogged',
    file: 'core/realtime.adapter.ts',
    find: "this.securityLog.report('upgrade refused', refusal, request);",
    replace: '',
    test: 'security-log.test.ts',
  },
  {
    name: 'event-refusals-unlogged',
    file: 'core/connection-limits.ts',
    find: `      if (wait > 0) {
        this.log.report(`,
    replace: `      if (wait > 1e9) {
        this.log.report(`,
    test: 'security-log.test.ts',
  },
  {
    name: 'refresh-refusals-unlogged',
    file: 'core/session.ts',
    find: `this.securityLog.report(
            'refresh refused',`,
    replace: `((..._: unknown[]) => undefined)(
            'refresh refused',`,
    test: 'security-log.test.ts',
  },
  {
    name: 'refused-user-unnamed',
    file: 'core/session.ts',
    find: `    socket.data.identity = identity;
`,
    replace: '',
    test: 'security-log.test.ts',
  },
  {
    name: 'log-unbounded',
    file: 'core/security-log.ts',
    find: 'this.written.size >= MAX_LINES || this.written.has(key)',
    replace: 'this.written.has(key)',
    test: 'security-log.test.ts',
  },
  {
    name: 'log-flooded-by-one',
    file: 'core/security-log.ts',
    find: 'this.written.size >= MAX_LINES || this.written.has(key)',
    replace: 'this.written.size >= MAX_LINES',
    test: 'security-log.test.ts',
  },
  {
    name: 'log-hides-what-it-left-out',
    file: 'core/security-log.ts',
    find: 'this.suppressed += 1;',
    replace: '',
    test: 'security-log.test.ts',
  },
  {
    name: 'log-lines-forged',
    file: 'core/security-log.ts',
    find: '`${event} ${JSON.stringify(details)}`',
    replace: "`${event} ${Object.values(details).join(' ')}`",
    test: 'security-log.test.ts',
  },
  {
    name: 'log-lines-of-any-length',
    file: 'core/security-log.ts',
    find: '?.slice(0, 200)',
    replace: '',
    test: 'security-log.test.ts',
  },
  {
    name: 'log-window-never-ends',
    file: 'core/security-log.ts',
    find: 'this.written.clear();',
    replace: '',
    test: 'security-log.test.ts',
  },
  // Revocation, rooms, context
  {
    name: 'revoked-handshake-goes-on',
    file: 'core/session.ts',
    find: `    this.requireValid(identity);
`,
    replace: '',
    test: 'revocation.test.ts',
  },
  {
    name: 'revoked-token-prolongs',
    file: 'core/session.ts',
    find: `    this.requireValid(verified.identity);
`,
    replace: '',
    test: 'revocation.test.ts',
  },
  {
    name: 'revoked-connections-stay',
    file: 'core/revocation.ts',
    find: `    this.cut(user);
`,
    replace: '',
    test: 'revocation.test.ts',
  },
  {
    name: 'revoked-untold',
    file: 'core/session.ts',
    find: `socket.emit('realtime.kicked');`,
    replace: '',
    test: 'revocation.test.ts',
  },
  {
    name: 'revocation-cuts-later-sign-ins',
    file: 'core/session.ts',
    find: '      if (this.revocation.isRevoked(identity)) {',
    replace: '      if (identity) {',
    test: 'revocation.test.ts',
  },
  {
    name: 'revocation-of-one-replica',
    file: 'core/replicas.ts',
    find: 'await Promise.all([here, this.tellOthers(name, message)]);',
    replace: 'await here;',
    test: 'revocation.test.ts',
  },
  {
    name: 'revocation-unconfirmed',
    file: 'core/replicas.ts',
    find: 'if (failure) {',
    replace: 'if (false) {',
    test: 'revocation.test.ts',
  },
  {
    name: 'revocations-unbounded',
    file: 'core/revocation.ts',
    find: 'if (this.revoked.size > MAX_REMEMBERED) {',
    replace: 'if (false) {',
    test: 'revocation.test.ts',
  },
  {
    name: 'revocation-spares-tokens-without-time',
    file: 'core/revocation.ts',
    find: 'issuedAt = 0,',
    replace: 'issuedAt = Infinity,',
    test: 'revocation.test.ts',
  },
  {
    name: 'revocation-spares-sign-ins',
    file: 'core/revocation.ts',
    find: 'if (sessionId !== undefined) {',
    replace: 'if (false) {',
    test: 'revocation.test.ts',
  },
  {
    name: 'policy-answers-truthy',
    file: 'core/subscriptions.ts',
    find: 'return answer === true',
    replace: 'return answer',
    test: 'resource-rooms.test.ts',
  },
  {
    name: 'subscriptions-uncapped',
    file: 'core/subscriptions.ts',
    find: 'held.size >= maxSubscriptions',
    replace: 'false',
    test: 'resource-rooms.test.ts',
  },
  {
    name: 'subscription-outlives-unsubscribe',
    file: 'core/subscriptions.ts',
    find: 'if (question && !refusal) {',
    replace: 'if (!refusal) {',
    test: 'resource-rooms.test.ts',
  },
  {
    name: 'subscription-by-the-first-answer',
    file: 'core/subscriptions.ts',
    find: 'while (held.get(id) !== question) {',
    replace: 'while (false) {',
    test: 'resource-rooms.test.ts',
  },
  {
    name: 'withdrawn-resource-stays',
    file: 'core/subscriptions.ts',
    find: 'void socket.leave(resourceRoom(tenantId, resourceId));',
    replace: '',
    test: 'resource-rooms.test.ts',
  },
  {
    name: 'withdrawal-of-one-replica',
    file: 'core/replicas.ts',
    find: 'await Promise.all([here, this.tellOthers(name, message)]);',
    replace: 'await here;',
    test: 'resource-rooms.test.ts',
  },
  {
    name: 'subscriptions-unchecked-on-refresh',
    file: 'core/subscriptions.ts',
    find: 'sessions.onExtended((socket) => void this.decideAll(socket));',
    replace: '',
    test: 'resource-rooms.test.ts',
  },
  {
    name: 'policy-asked-of-any-id',
    file: 'core/subscriptions.ts',
    find: 'if (!isId(resourceId)) {',
    replace: 'if (false) {',
    test: 'resource-rooms.test.ts',
  },
  {
    name: 'custom-rooms-of-any-tenant',
    file: 'core/rooms.ts',
    find: 'joined(token).map((key) => customRoom(tenantId, key))',
    replace: 'joined(token)',
    test: 'custom-rooms.test.ts',
  },
  {
    name: 'custom-rooms-are-resources',
    file: 'core/rooms.ts',
    find: ':c:',
    replace: ':r:',
    test: 'custom-rooms.test.ts',
  },
  {
    name: 'custom-rooms-of-the-old-token',
    file: 'core/session.ts',
    find: 'void socket.leave(room);',
    replace: '',
    test: 'custom-rooms.test.ts',
  },
  {
    name: 'context-unbound',
    file: 'core/client-event.ts',
    find: 'this.context.run(context, () => next.handle().subscribe(subscriber))',
    replace: 'next.handle().subscribe(subscriber)',
    test: 'request-context.test.ts',
  },
  {
    name: 'context-of-the-handler-alone',
    file: 'core/client-event.ts',
    find: 'this.context.run(context, () => next.handle().subscribe(subscriber))',
    replace: 'this.context.run(context, () => next.handle()).subscribe(subscriber)',
    test: 'request-context.test.ts',
  },
  {
    name: 'context-of-any-tenant',
    file: 'core/broker.ts',
    find: 'tenantId: isId(tenantId) ? tenantId : undefined',
    replace: 'tenantId: tenantId as string',
    test: 'request-context.test.ts',
  },
  {
    name: 'context-of-any-user',
    file: 'core/broker.ts',
    find: '.find(isId);',
    replace: '.at(-1) as string;',
    test: 'request-context.test.ts',
  },
  {
    name: 'context-hides-the-hosts',
    file: 'core/request-context.ts',
    find: '{ ...this.cls.get(), [KEY]: context }',
    replace: '{ [KEY]: context }',
    test: 'request-context.test.ts',
  },
];
