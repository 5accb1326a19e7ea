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

/** Of no replica: all of them read it, the one that sent it too. */
const EVERY_REPLICA = 'emitter';

/** A namespace's rooms on all replicas, by way of their stream. */
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
   * What a broker event sends is acknowledged to the broker once Redis has it,
   * and delivered in the order of the stream, here too. All else is sent to
   * our own clients at once, also while Redis is away.
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
      // The one of the superclass rejects, to nobody, where this one throws.
      Adapter.prototype.broadcast.call(this, packet, opts);
    }
    return Promise.resolve();
  }

  /** The stream repeats it until Redis has it. */
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
