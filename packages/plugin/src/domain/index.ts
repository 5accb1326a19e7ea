export { compareContracts } from './compatibility.js';
export type { Contract, ContractChange, ContractRule } from './compatibility.js';
export { changeEvent, renameDomain } from './change-event.js';
export type { EventChange, Renamed } from './change-event.js';
export { emitLine } from './emit-line.js';
export type { EmitOption } from './emit-line.js';
export { RealtimeError } from './errors.js';
export { parseDomainFile, toDomainFile, withoutBom, writeDomainFile } from './domain-file.js';
export type { DomainFile } from './domain-file.js';
export { formatType, quotesFor, unquoted } from './grammar.js';
export { hasId, listOf } from './list.js';
export type { DomainList } from './list.js';
export { parseFieldText, payloadProblems } from './payload.js';
export { parsePublisherFile } from './publisher-file.js';
export type { PublisherFile } from './publisher-file.js';
export { camelCase, domainNames, eventPascal } from './names.js';
export {
  DEFAULT_EVENTS,
  checkDomains,
  checkPublished,
  draftDomain,
  readDomain,
  readDraft,
  subscriptionEvents,
} from './parse.js';
export type { DomainDraft, DomainOptions } from './parse.js';
export { renameDomainWords, renameEventWords } from './rename-words.js';
export type { RenameWord, NewWord } from './rename-words.js';
export { LIST_ACTIONS, ROOMS, SCALARS } from './types.js';
export type {
  Audience,
  ClientEvent,
  Domain,
  DomainNames,
  Field,
  ListAction,
  Rooms,
  Scalar,
  ServerEvent,
} from './types.js';
