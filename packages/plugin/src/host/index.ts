export {
  detectApp,
  detectHost,
  ejectedIn,
  eslintConfigOf,
  isSolution,
  librariesFolder,
  majorOf,
  workspaceGlobs,
} from './detect.js';
export {
  domainPath,
  fileOf,
  findDomain,
  hostDomains,
  requireDomain,
  resolveApp,
  resolveDomain,
} from './domains.js';
export type { HostDomain } from './domains.js';
export type {
  AppFacts,
  ContractsFacts,
  HostFacts,
  PublisherFacts,
  TestRunner,
  WebEntry,
  WebFacts,
} from './facts.js';
export { copiesOf } from './copies.js';
export type { Copy } from './copies.js';
export { chainsOf, readLock } from './lockfile.js';
export type { Installed } from './lockfile.js';
export { ENTRIES, ejectedName } from './ejected.js';
export { loadParser } from './parser.js';
export { HostProjects, projectsNamed } from './projects.js';
export type { HostProject } from './projects.js';
export {
  formerPublishers,
  hostPublishers,
  publisherPath,
  resolvePublisher,
  tcpPortVariable,
} from './publishers.js';
export type { HostPublisher } from './publishers.js';
export { KERNELS, VERSIONS } from './versions.js';
export type { Kernel } from './versions.js';
export { loadYaml } from './yaml.js';
export { URL_VARIABLES } from './web-app.js';
