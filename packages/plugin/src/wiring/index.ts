export { COMPOSE_FILE, wireCompose } from './host/compose.js';
export { wireDependencies } from './host/dependencies.js';
export { wireDevelopment } from './host/dev-env.js';
export type { Wired } from './host/edit.js';
export { importersOf, renameImports } from './host/importers.js';
export type { Use } from './host/importers.js';
export { unwireHost } from './host/unwire.js';
export { wireHost } from './host/wire.js';
export { wireWorkspace } from './host/workspace.js';
