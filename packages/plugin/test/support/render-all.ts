import kernel from '../kernel/render.js';
import web from '../../../react/test/render.js';

kernel();
web();
