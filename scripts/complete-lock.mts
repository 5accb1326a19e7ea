/** `npm run complete-lock [-- <folder>]`: makes package-lock.json acceptable to `npm ci` on every platform. */
import { completeLockfile } from '../e2e/support/lockfile.js';

const added = completeLockfile(process.argv[2] ?? '.');
console.log(added.length > 0 ? `Added ${added.join(', ')}` : 'Nothing was missing.');
