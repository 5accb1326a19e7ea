export { RealtimeError } from './errors.js';
export { parseDomainFile, toDomainFile, writeDomainFile } from './domain-file.js';
export type { DomainFile } from './domain-file.js';
export { camelCase, domainNames, eventPascal } from './names.js';
export { checkDomains, draftDomain, readDomain, subscriptionEvents } from './parse.js';
export type { DomainDraft, DomainOptions } from './parse.js';
export { ROOMS, SCALARS } from './types.js';
export type { Audience, Domain, DomainNames, Field, Rooms, Scalar, ServerEvent } from './types.js';
