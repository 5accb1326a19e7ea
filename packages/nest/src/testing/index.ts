import './required-packages';

export { recordBroadcasts, type RecordedBroadcasts } from './record-broadcasts';
export { RealtimeTestApp, type RealtimeTestOptions } from './realtime-test-app';
