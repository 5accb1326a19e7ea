import { createConnection } from 'node:net';
import { RealtimePublishError } from './publish.error';
import type { OutgoingEvent, PublisherTransport } from './publisher.transport';

/**
 * The embedded transport of development: Nest's TCP framing, to the app that
 * the event is for, on this machine.
 */
export class TcpTransport implements PublisherTransport {
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly ports: ReadonlyMap<string, number>,
    private readonly timeoutMs: number,
  ) {}

  /** One after the other, so that events arrive in order. */
  send(event: OutgoingEvent): Promise<void> {
    const sent = this.last.then(() => this.deliver(event));
    this.last = sent.catch(() => undefined);
    return sent;
  }

  close(): Promise<void> {
    return this.last;
  }

  /**
   * A connection for each event: the other side ends it in turn when it has
   * read everything, which is all the confirmation that TCP can give.
   */
  private deliver({ name, id, body, tcpPort }: OutgoingEvent): Promise<void> {
    const port = this.ports.get(tcpPort);
    return new Promise((resolve, reject) => {
      let isConnected = false;
      const socket = createConnection({ host: '127.0.0.1', port: port ?? 0 });
      socket.setTimeout(this.timeoutMs, () =>
        socket.destroy(new Error(`no answer in ${this.timeoutMs} ms`)),
      );
      socket.once('connect', () => {
        isConnected = true;
        // The length is in UTF-16 code units.
        socket.end(`${body.length}#${body}`);
      });
      socket.once('error', ({ message }) =>
        reject(
          new RealtimePublishError(
            isConnected ? 'UNCONFIRMED' : 'DISCONNECTED',
            name,
            id,
            `${message}; does the app of ${tcpPort} run?`,
          ),
        ),
      );
      socket.once('close', () => resolve());
      socket.resume();
    });
  }
}
