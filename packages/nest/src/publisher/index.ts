export { RealtimePublishError } from './publish.error';
export type { PublishErrorCode } from './publish.error';
export type {
  PublishedEvent,
  PublishedEvents,
  PublishedPayload,
} from './published-events';
export { RealtimePublisher, type RealtimeMessage } from './realtime-publisher';
export {
  RealtimePublisherModule,
  type RealtimePublisherAsyncOptions,
  type RealtimePublisherOptions,
} from './realtime-publisher.module';
