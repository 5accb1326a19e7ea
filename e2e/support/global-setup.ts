import { packPlugin } from './pack';

/** Packs the plugin once for all suites. */
export default function setup(): void {
  process.env['NX_REALTIME_TARBALL'] = packPlugin();
}
