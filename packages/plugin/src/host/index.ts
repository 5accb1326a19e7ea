export { detectHost, eslintConfigOf, isSolution, workspaceGlobs } from './detect.js';
export { domainPath, findDomain, hostDomains, resolveDomain } from './domains.js';
export type { HostDomain } from './domains.js';
export type {
  AppFacts,
  ContractsFacts,
  HostFacts,
  TestRunner,
  WebEntry,
  WebFacts,
} from './facts.js';
export { HostProjects } from './projects.js';
export type { HostProject } from './projects.js';
export { VERSIONS } from './versions.js';
export { API_URL_VARIABLE } from './web-app.js';
