import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hostEnv, type Host } from './host';
import { freePort } from './ports';
import { removeAtExit, run, start } from './processes';
import { artifact, REPO } from './repo';

/** A package registry of our own, on 127.0.0.1, that knows nothing but what is published to it. */
export interface Registry {
  readonly url: string;
  /** Publishes the package in a folder. */
  publish(folder: string): Promise<void>;
  /** Has npm take our scope from here in a workspace, and everything else from where it did. */
  useIn(host: Host): void;
  stop(): Promise<void>;
}

const SCOPE = '@nx-realtime';

export async function startRegistry(): Promise<Registry> {
  const folder = mkdtempSync(join(tmpdir(), 'nx-realtime-registry-'));
  removeAtExit(folder);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/`;
  const config = {
    storage: join(folder, 'storage'),
    auth: {},
    uplinks: {},
    packages: { [`${SCOPE}/*`]: { access: '$all', publish: '$all', unpublish: '$all' } },
    log: { type: 'stdout', format: 'json', level: 'warn' },
    web: { enable: false },
  };
  mkdirSync(config.storage);
  // JSON is YAML.
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify(config));
  const logFile = artifact('registry.log');
  const bin = join(REPO, 'node_modules/verdaccio/bin/verdaccio');
  const running = await start(
    `exec "${process.execPath}" "${bin}" --config config.yaml --listen 127.0.0.1:${port}`,
    { cwd: folder, env: hostEnv(), logFile, ready: { http: `${url}-/ping` }, timeoutMs: 120_000 },
  );
  // npm does not publish without a token; this registry asks for none.
  const npmrc = `${SCOPE}:registry=${url}\n//127.0.0.1:${port}/:_authToken=nobody\n`;
  return {
    url,
    publish: async (cwd) => {
      writeFileSync(join(cwd, '.npmrc'), npmrc);
      await run('npm publish --access=public --ignore-scripts', { cwd, env: hostEnv(), logFile });
    },
    useIn: (host) => writeFileSync(host.path('.npmrc'), npmrc),
    stop: () => running.stop(),
  };
}
