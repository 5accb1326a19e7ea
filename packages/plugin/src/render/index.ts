export type { Ownership, RenderedFile } from './files.js';
export { render } from './render.js';
export { loadTemplates } from './templates.js';
export type { Templates } from './templates.js';
