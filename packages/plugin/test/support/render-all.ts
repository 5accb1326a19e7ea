import docs from '../docs/render.js';
import kernel from '../../../nest/test/render.js';
import web from '../../../react/test/render.js';

docs();
kernel();
web();
