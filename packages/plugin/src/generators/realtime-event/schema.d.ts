/** Options of `nx g realtime-event`; domain and event may be absent where a person can be asked. */
export interface RealtimeEventSchema {
  domain?: string;
  event?: string;
  direction?: 'server' | 'client';
  audience?: 'tenant' | 'user' | 'resource' | 'custom';
  field?: string;
  otherwise?: 'tenant' | 'nowhere';
  list?: 'add' | 'update' | 'remove' | 'none';
  rename?: string;
  remove?: boolean;
  skipFormat?: boolean;
}
