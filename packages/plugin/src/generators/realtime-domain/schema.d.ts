/** Options of `nx g realtime-domain`; every one but the name may be absent. */
export interface RealtimeDomainSchema {
  name: string;
  serverEvents?: string[];
  clientEvents?: string[];
  app?: string;
  standalone?: boolean;
  web?: string;
  createWeb?: boolean;
  namespace?: string;
  rooms?: 'tenant' | 'user';
  contracts?: string;
  authStore?: string;
  from?: string;
  skipTests?: boolean;
  skipMount?: boolean;
  skipFormat?: boolean;
  adopt?: boolean;
  restore?: boolean;
  forget?: string[];
}
