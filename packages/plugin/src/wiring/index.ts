export { COMPOSE_FILE, wireCompose } from './host/compose.js';
export { wireDependencies } from './host/dependencies.js';
export { wireDevelopment } from './host/dev-env.js';
export type { Wired } from './host/edit.js';
export { wireHost } from './host/wire.js';
export { wireWorkspace } from './host/workspace.js';
