import { renderHost } from '../support/render-host.js';
import { fillIn, filledShape, samplesShape } from '../support/samples.js';

export default function setup(): void {
  const tsconfig = 'templates/tsconfig.json';
  renderHost('plugin', samplesShape('docs'), /^(?:apps|libs)\//, tsconfig);
  renderHost('plugin', filledShape('docs-filled'), /^(?:apps|libs)\//, tsconfig, fillIn);
}
