export { ejectedDependencies } from './ejected-library.js';
export type { Templates } from './archive.js';
export type { Ownership, RenderedFile, Wanted } from './files.js';
export { packageFolder } from './package-folder.js';
export { render } from './render.js';
export { loadTemplates, kernelSources } from './templates.js';
