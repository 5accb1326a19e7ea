import { Inject, Injectable, Logger } from '@nestjs/common';
import {
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import {
  isRealtimeException,
  RealtimeException,
} from '../handshake/realtime.errors';
import { Replicas } from '../replicas/replicas';
import { isId, resourceRoom, userRoom } from './rooms';
import { SecurityLog } from '../handshake/security-log';
import { SessionRegistry } from '../connections/session';
import type { RealtimeSocket } from '../connections/socket';
import type { RealtimeIdentity } from '../handshake/identity';
import { TIME_LIMITS, withTimeLimit } from '../time-limit';

/**
 * Decides who may subscribe to which resources of a domain.
 *
 * @example
 * ```ts
 * @Injectable()
 * export class DocumentsPolicy implements ResourcePolicy {
 *   constructor(private readonly documents: DocumentsRepository) {}
 *
 *   canSubscribe({ tenantId, userId }: RealtimeIdentity, documentId: string) {
 *     return this.documents.isReader(tenantId, userId, documentId);
 *   }
 * }
 * ```
 */
export interface ResourcePolicy {
  /**
   * Called at every subscription, and again about each that a client holds when
   * its token is refreshed. Anything but true denies it.
   */
  canSubscribe(
    client: RealtimeIdentity,
    resourceId: string,
  ): boolean | Promise<boolean>;
}

interface Reader {
  readonly tenantId: string;
  readonly userId: string;
}

interface Withdrawal extends Reader {
  readonly namespace: string;
  /**
   * The resource that is withdrawn; without one the policy is asked about each.
   */
  readonly resourceId?: string | undefined;
}

/** Reason of a denial; undefined where the policy allows it. */
type Refusal = RealtimeException | undefined;

/**
 * Subscriptions of sockets to resources, as the policies of their domains
 * allow.
 *
 * @example
 * ```ts
 * constructor(private readonly subscriptions: Subscriptions) {}
 * // in a method, when a user may not read a document any more
 * await this.subscriptions.withdraw('/documents', { tenantId, userId }, documentId);
 * ```
 */
@Injectable()
export class Subscriptions {
  private readonly logger = new Logger(Subscriptions.name);
  private readonly policies = new Map<string, ResourcePolicy>();
  /** Last question to the policy, by socket and id of the resource. */
  private readonly held = new WeakMap<
    RealtimeSocket,
    Map<string, Promise<Refusal>>
  >();
  private readonly withdrawEverywhere: (message: Withdrawal) => Promise<void>;

  constructor(
    @Inject(Replicas) replicas: Replicas,
    @Inject(SessionRegistry) private readonly sessions: SessionRegistry,
    @Inject(SecurityLog) private readonly securityLog: SecurityLog,
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
  ) {
    this.withdrawEverywhere = replicas.everywhere('withdraw', (withdrawal) =>
      this.apply(withdrawal),
    );
    sessions.onExtended((socket) => void this.decideAll(socket));
  }

  /**
   * Sets the policy of a namespace whose resources are subscribed to. Call it
   * once.
   */
  protect(namespace: string, policy: ResourcePolicy): void {
    this.policies.set(namespace, policy);
  }

  /**
   * Subscribes a socket to a resource, if the policy allows it.
   *
   * @throws RealtimeException VALIDATION, RATE_LIMITED, FORBIDDEN, or what the
   * policy throws
   */
  async subscribe(socket: RealtimeSocket, resourceId: string): Promise<void> {
    if (!isId(resourceId)) {
      throw new RealtimeException('VALIDATION', 'The id is not valid');
    }
    const held = this.heldBy(socket);
    const { maxSubscriptions } = this.config.limits;
    if (!held.has(resourceId) && held.size >= maxSubscriptions) {
      throw new RealtimeException('RATE_LIMITED', 'Too many subscriptions');
    }
    await this.decide(socket, resourceId).catch((refusal: unknown) => {
      const { code } = refusal as RealtimeException;
      const { request, data } = socket;
      const { identity } = data;
      this.securityLog.report('subscription refused', code, request, identity);
      throw refusal;
    });
  }

  /** Ends a subscription, also one that is still being decided on. */
  unsubscribe(socket: RealtimeSocket, resourceId: string): void {
    if (this.heldBy(socket).delete(resourceId)) {
      const { tenantId } = socket.data.identity;
      void socket.leave(resourceRoom(tenantId, resourceId));
    }
  }

  /**
   * Ends a user's subscription on every replica. The policy must deny it by
   * now: the client may ask again. Rejects when a replica has not confirmed it.
   */
  async withdraw(
    namespace: string,
    { tenantId, userId }: Reader,
    resourceId: string,
  ): Promise<void> {
    userRoom(tenantId, userId);
    resourceRoom(tenantId, resourceId);
    const reader = { tenantId, userId };
    await this.withdrawEverywhere({ namespace, ...reader, resourceId });
  }

  /**
   * Asks the policy again about all that a user is subscribed to, as every
   * refresh of a token does.
   */
  async recheck(
    namespace: string,
    { tenantId, userId }: Reader,
  ): Promise<void> {
    userRoom(tenantId, userId);
    await this.withdrawEverywhere({ namespace, tenantId, userId });
  }

  private async apply(withdrawal: Withdrawal): Promise<void> {
    const { namespace, tenantId, userId, resourceId } = withdrawal;
    const sockets = this.sessions
      .socketsOf(tenantId, userId)
      .filter(({ nsp }) => nsp.name === namespace);
    for (const socket of sockets) {
      if (resourceId !== undefined) {
        this.unsubscribe(socket, resourceId);
      } else {
        await this.decideAll(socket);
      }
    }
  }

  private async decideAll(socket: RealtimeSocket): Promise<void> {
    const ids = [...this.heldBy(socket).keys()];
    await Promise.allSettled(ids.map((id) => this.decide(socket, id)));
  }

  private async decide(socket: RealtimeSocket, id: string): Promise<void> {
    const held = this.heldBy(socket);
    held.set(id, this.ask(socket, id));
    let question = held.get(id);
    let refusal = await question;
    // Asked again meanwhile: the last answer counts.
    while (held.get(id) !== question) {
      question = held.get(id);
      refusal = await question;
    }
    // No question: unsubscribed or withdrawn meanwhile.
    if (question && !refusal) {
      void socket.join(resourceRoom(socket.data.identity.tenantId, id));
      return;
    }
    this.unsubscribe(socket, id);
    throw refusal ?? new RealtimeException('FORBIDDEN', 'Not subscribed');
  }

  private async ask(socket: RealtimeSocket, id: string): Promise<Refusal> {
    try {
      const policy = this.policies.get(socket.nsp.name);
      const answer = await withTimeLimit(
        TIME_LIMITS.owner,
        policy?.canSubscribe(socket.data.identity, id),
        () => new Error(`${socket.nsp.name}: canSubscribe took too long`),
      );
      return answer === true
        ? undefined
        : new RealtimeException('FORBIDDEN', 'Not allowed to subscribe');
    } catch (error) {
      if (isRealtimeException(error)) {
        return error;
      }
      this.logger.error(error);
      return new RealtimeException('INTERNAL', 'Internal error');
    }
  }

  private heldBy(socket: RealtimeSocket): Map<string, Promise<Refusal>> {
    const held = this.held.get(socket) ?? new Map();
    this.held.set(socket, held);
    return held;
  }
}
