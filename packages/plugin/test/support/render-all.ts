import kernel from '../kernel/render.js';
import web from '../web/render.js';

kernel();
web();
