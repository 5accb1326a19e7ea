/**
 * `npm run demo`: a new workspace, two domains, a server, a web app, and an event each second, to look at.
 * `npm run demo -- --once`: the same without eyes: one event must reach a headless Chromium.
 */
import { runDemo } from './support/demo.js';

process.exit(await runDemo(process.argv.includes('--once')));
