import type { Namespace } from 'socket.io';
import {
  Adapter,
  type BroadcastOptions,
  ClusterAdapterWithHeartbeat,
  type ClusterMessage,
  type ClusterResponse,
  MessageType,
} from 'socket.io-adapter';
import { brokerEvent } from '../broker/emission';
import type { ReplicaStream } from './redis';

/**
 * A sender that is no replica: all of them read the message, the one that sent
 * it too.
 */
const EVERY_REPLICA = 'emitter';

/** Links the rooms of a namespace on all replicas, through their stream. */
export class ReplicaAdapter extends ClusterAdapterWithHeartbeat {
  constructor(
    namespace: Namespace,
    private readonly stream: ReplicaStream,
    /** Every replica has all broker events from a queue of its own. */
    private readonly hasOwnQueue: boolean,
  ) {
    super(namespace, {});
  }

  /**
   * Sends to the rooms of every replica. What a broker event sends is
   * acknowledged to the broker once Redis has it, and delivered in the order of
   * the stream, here too. All else is sent to the clients of this replica at
   * once, also while Redis is away.
   */
  override broadcast(packet: unknown, opts: BroadcastOptions): Promise<void> {
    const event = brokerEvent();
    const isLocal = opts.flags?.local || (event && this.hasOwnQueue);
    if (!isLocal && !event?.isReleased()) {
      const { rooms, except = [], flags = {} } = opts;
      const message: ClusterMessage = {
        type: MessageType.BROADCAST,
        uid: event ? EVERY_REPLICA : this.uid,
        nsp: this.nsp.name as string,
        data: {
          packet,
          opts: { rooms: [...rooms], except: [...except], flags },
        },
      };
      const appended = this.stream.append(message, event?.nextKey());
      event?.taken.push(appended);
    }
    if (isLocal || !event) {
      // The superclass's method would reject, to nobody, where this one throws.
      Adapter.prototype.broadcast.call(this, packet, opts);
    }
    return Promise.resolve();
  }

  /** Appends a message to the stream, which repeats it until Redis has it. */
  protected override doPublish(message: ClusterMessage): Promise<string> {
    void this.stream.append(message);
    return Promise.resolve('');
  }

  protected override doPublishResponse(
    _requester: string,
    response: ClusterResponse,
  ): Promise<void> {
    void this.stream.append(response);
    return Promise.resolve();
  }
}
