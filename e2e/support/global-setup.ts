import { packTarballs } from './pack';

/** Packs the plugin and its rules once for all suites. */
export default function setup(): void {
  const { plugin, rules } = packTarballs();
  process.env['NX_REALTIME_TARBALL'] = plugin;
  process.env['NX_REALTIME_RULES_TARBALL'] = rules;
}
