/** Options of `nx g realtime-publisher`; every one may be absent, the app only where a person can be asked. */
export interface RealtimePublisherSchema {
  app?: string;
  skipTests?: boolean;
  skipFormat?: boolean;
  adopt?: boolean;
  restore?: boolean;
  forget?: string[];
}
