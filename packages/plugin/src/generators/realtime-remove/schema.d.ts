/** Options of `nx g realtime-remove`. */
export interface RealtimeRemoveSchema {
  domain: string;
  force?: boolean;
}
