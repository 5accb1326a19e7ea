export { compareContracts } from './compatibility.js';
export type { Contract, ContractChange, ContractRule } from './compatibility.js';
export { RealtimeError } from './errors.js';
export { parseDomainFile, toDomainFile, writeDomainFile } from './domain-file.js';
export type { DomainFile } from './domain-file.js';
export { parsePublisherFile } from './publisher-file.js';
export type { PublisherFile } from './publisher-file.js';
export { camelCase, domainNames, eventPascal } from './names.js';
export {
  checkDomains,
  checkPublished,
  draftDomain,
  readDomain,
  subscriptionEvents,
} from './parse.js';
export type { DomainDraft, DomainOptions } from './parse.js';
export { ROOMS, SCALARS } from './types.js';
export type { Audience, Domain, DomainNames, Field, Rooms, Scalar, ServerEvent } from './types.js';
