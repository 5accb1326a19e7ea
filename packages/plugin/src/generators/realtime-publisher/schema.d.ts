/** Options of `nx g realtime-publisher`; every one but the app may be absent. */
export interface RealtimePublisherSchema {
  app: string;
  skipTests?: boolean;
  skipFormat?: boolean;
  adopt?: boolean;
  restore?: boolean;
  forget?: string[];
}
