/** Options of `nx g realtime-domain`; every one may be absent, the name only where a person can be asked. */
export interface RealtimeDomainSchema {
  name?: string;
  serverEvents?: string[];
  clientEvents?: string[];
  list?: string[];
  app?: string;
  standalone?: boolean;
  web?: string;
  createWeb?: boolean;
  namespace?: string;
  rooms?: 'tenant' | 'user' | 'resource' | 'custom';
  contracts?: string;
  authStore?: string;
  requestContext?: string;
  rename?: string;
  from?: string;
  example?: boolean;
  observability?: boolean;
  skipTests?: boolean;
  skipMount?: boolean;
  skipFormat?: boolean;
  adopt?: boolean;
  keepGateways?: boolean;
  move?: boolean;
  restore?: boolean;
  forget?: string[];
}
