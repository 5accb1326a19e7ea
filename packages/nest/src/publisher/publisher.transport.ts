/** An event that is checked and encoded. */
export interface OutgoingEvent {
  readonly name: string;
  readonly id: string;
  readonly at: Date;
  /** `{ "pattern": "...", "data": ... }` */
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The variable that holds the port of the app that the event is for. */
  readonly tcpPort: string;
}

/** Sends events to the broker. */
export interface PublisherTransport {
  /** @throws RealtimePublishError unless the broker has taken the event */
  send(event: OutgoingEvent): Promise<void>;
  close(): Promise<void>;
}

/** Injection token of the transport. */
export const PublisherTransport: unique symbol = Symbol.for(
  '@nx-realtime/nest:publisher-transport',
);
