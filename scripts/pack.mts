/** `npm run pack -- <dir>`: builds and packs every package into a folder. */
import { packAll } from '../e2e/support/pack.js';

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error('Usage: npm run pack -- <folder>');
  process.exit(2);
}
try {
  for (const { name, tarball, unpackedBytes, files } of packAll(folder)) {
    const size = `${(unpackedBytes / 1_024).toFixed(0)} KiB unpacked, ${files} files`;
    console.log(`${tarball}\n  ${name}: ${size}`);
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
