/**
 * State of a connection to RabbitMQ or Redis; `detail` says why it is not ok.
 */
export interface LinkHealth {
  readonly ok: boolean;
  readonly detail: string;
}
