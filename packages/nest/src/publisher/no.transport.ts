import { RealtimePublishError } from './publish.error';
import type { OutgoingEvent, PublisherTransport } from './publisher.transport';

/** Stands in for a transport in a test whose environment names none. */
export class NoTransport implements PublisherTransport {
  constructor(private readonly missing: Error) {}

  async send({ name, id }: OutgoingEvent): Promise<void> {
    throw new RealtimePublishError(
      'DISCONNECTED',
      name,
      id,
      this.missing.message,
    );
  }

  async close(): Promise<void> {
    return undefined;
  }
}
