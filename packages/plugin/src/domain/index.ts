export { RealtimeError } from './errors.js';
export { domainFileSchema, parseDomainFile, toDomainFile, writeDomainFile } from './domain-file.js';
export type { DomainFile } from './domain-file.js';
export { camelCase, domainNames, eventPascal, kebabCase, words } from './names.js';
export { checkDomains, draftDomain, readDomain, subscriptionEvents } from './parse.js';
export type { DomainDraft, DomainOptions } from './parse.js';
export { ROOMS, SCALARS } from './types.js';
export type {
  Audience,
  ClientEvent,
  Domain,
  DomainNames,
  Field,
  Rooms,
  Scalar,
  ServerEvent,
} from './types.js';
