export { askDomain } from './domain.js';
export { askEvent } from './event.js';
export { askMove } from './move.js';
export { askPublisher, askRemoved } from './others.js';
