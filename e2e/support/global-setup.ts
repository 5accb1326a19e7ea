import { packTarballs } from './pack';
import { tarballVariables } from './tarballs';

/** Packs the packages once for all suites. */
export default function setup(): void {
  Object.assign(process.env, tarballVariables(packTarballs()));
}
