/** Options of `nx g realtime-remove`; the domain may be absent where a person can be asked. */
export interface RealtimeRemoveSchema {
  domain?: string;
  force?: boolean;
}
