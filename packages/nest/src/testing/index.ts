import './required-packages';

export { recordBroadcasts } from './record-broadcasts';
export { RealtimeTestApp, type RealtimeTestOptions } from './realtime-test-app';
