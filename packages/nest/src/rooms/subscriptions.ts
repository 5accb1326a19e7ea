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

export interface ResourcePolicy {
  /** Asked at every subscription; anything but true denies it. */
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
  /** Absent: the policy is asked about each. */
  readonly resourceId?: string | undefined;
}

/** Why not; undefined: the policy allows it. */
type Refusal = RealtimeException | undefined;

/** Who is subscribed to which resource, as the policies of their owners say. */
@Injectable()
export class Subscriptions {
  private readonly logger = new Logger(Subscriptions.name);
  private readonly policies = new Map<string, ResourcePolicy>();
  /** By socket and id of the resource: the last question to the policy. */
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

  /** Call once for each namespace whose resources are subscribed to. */
  protect(namespace: string, policy: ResourcePolicy): void {
    this.policies.set(namespace, policy);
  }

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

  /** Also ends a subscription that is still being decided on. */
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
      const answer = await policy?.canSubscribe(socket.data.identity, id);
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
