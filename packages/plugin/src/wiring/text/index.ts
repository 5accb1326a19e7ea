export { already, done, unable } from './edit.js';
export type { Edit } from './edit.js';
export { appendJson, setJson } from './json.js';
export { mountInApp, mountInLayout } from './layout.js';
export { ensureEnv, ensureLines } from './lines.js';
export type { EnvEntry } from './lines.js';
export { addSetupCall } from './main.js';
export { addModuleImport } from './module.js';
export { ensureYaml } from './yaml.js';
