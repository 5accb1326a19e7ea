import { renderHost } from '../support/render-host.js';
import { fillIn, filledShape, samplesShape } from '../support/samples.js';

export default function setup(): void {
  const tsconfig = 'templates/tsconfig.json';
  renderHost(samplesShape('docs'), /^(?:apps|libs)\//, tsconfig);
  renderHost(filledShape('docs-filled'), /^(?:apps|libs)\//, tsconfig, fillIn);
}
