export { isSound, mergeSyntax } from './merge.js';
export { isSameCode, parseSource } from './source.js';
