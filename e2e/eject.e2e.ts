import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { installBuilt } from './support/built';
import { createHost, installPlugin, type Host, type HostKind } from './support/host';
import type { Running } from './support/processes';
import { Recorder, until } from './support/recorder';
import { choosePorts, distOf, JWT_SECRET, urlsOf, type Ports } from './support/stack';
import { packedTarball } from './support/tarballs';
import { mintToken } from './support/token';

const EDITED = 'src/connections/socket.ts';
const EJECT = 'npx nx g @nx-realtime/plugin:realtime-eject';

/** The kernels as libraries of a workspace: the packages are not installed any more. */
describe.each<Exclude<HostKind, 'empty'>>(['integrated', 'ts'])(
  'kernels that a workspace of the %s preset owns',
  (kind) => {
    let host: Host;
    let ports: Ports;
    let server: Running | undefined;
    const folder = kind === 'ts' ? 'packages' : 'libs';
    const [nest, react] = [`${folder}/realtime-nest`, `${folder}/realtime-react`];
    const scope = kind === 'ts' ? '@acme-ts/' : '';
    const libraries =
      kind === 'ts' ? '@nx-realtime/nest,@nx-realtime/react' : 'realtime-nest,realtime-react';

    beforeAll(async () => {
      host = await createHost(kind, `eject-${kind}`);
      ports = await choosePorts();
      await installPlugin(host);
      await host.run(`npx nx g realtime-domain Notification --clientEvents='markRead{id}'`);
      host.commit('Notification');
    });

    afterAll(() => server?.stop());

    it('are found where the packages were, and change no line of a domain', async () => {
      await host.run(`${EJECT} nest`);
      await host.run(`${EJECT} react`);
      const changed = host.status().map((line) => line.slice(3));
      expect(changed.filter((path) => /src\/(?:realtime|features|lib)\//.test(path))).toEqual([]);
      for (const [kernel, root] of [
        ['nest', nest],
        ['react', react],
      ] as const) {
        expect(host.has(`${root}/src/index.ts`)).toBe(true);
        // Linked, or not there.
        const installed = readdirSync(host.path('node_modules/@nx-realtime'), {
          withFileTypes: true,
        }).find(({ name }) => name === kernel);
        expect(installed === undefined || installed.isSymbolicLink()).toBe(true);
      }
      host.write(`${nest}/${EDITED}`, `${host.read(`${nest}/${EDITED}`)}\n// Ours.\n`);
      const { code, output } = await host.tryRun('npx nx run api-gateway:realtime-check');
      expect([code, output]).toEqual([0, expect.stringContaining('is up to date')]);
      host.commit('Ejected, and edited');
    });

    it('build, lint and pass the tests of the apps', async () => {
      await host.run(
        `npx nx run-many -t lint build test --projects=${libraries},${scope}api-gateway,${scope}web`,
        { NEXT_PUBLIC_API_URL: urlsOf(ports).api },
      );
    });

    it('are in what is built, which is installed by itself, boots and delivers', async () => {
      if (kind === 'ts') await host.run('npx nx run @acme-ts/api-gateway:prune');
      const built = await installBuilt(host, distOf(host, 'api-gateway'));
      expect(built.has('node_modules/@nx-realtime/nest/dist')).toBe(false);
      server = await startBuilt(built);
      const token = mintToken(JWT_SECRET, { tenantId: 't1', sub: 'u1' });
      const recorder = await Recorder.connect('u1', urlsOf(ports).api, '/notifications', { token });
      await host.run(
        'node_modules/.bin/nx-realtime emit notification.created --tenant=t1 --id=n1 --message=hi --type=info',
        env(),
      );
      await until(
        () => recorder.count('n1') === 1,
        () => JSON.stringify(recorder.received),
      );
      recorder.close();
    });

    it('refuse to run beside a package that is installed too', async () => {
      await server?.stop();
      const copy = 'apps/api-gateway/node_modules/@nx-realtime/nest';
      await host.run(
        `mkdir -p ${copy} && tar -xzf ${packedTarball('nest')} -C ${copy} --strip-components=1`,
      );
      const { code, output } = await host.tryRun(
        `node -r ./${copy}/dist/index.js ${join(distOf(host, 'api-gateway'), 'main.js')}`,
        env(),
      );
      expect([code === 0, output]).toEqual([
        false,
        expect.stringContaining('@nx-realtime/nest is loaded 2 times'),
      ]);
      const check = await host.tryRun('npx nx run api-gateway:realtime-check');
      await host.run(`rm -rf ${copy}`);
      expect([check.code === 0, check.output]).toEqual([
        false,
        expect.stringContaining(`is a library of this workspace, ${nest}`),
      ]);
    });

    it('become packages again, once nothing in them is edited', async () => {
      const refused = await host.tryRun(`${EJECT} nest --undo`);
      expect([refused.code === 0, refused.output]).toEqual([
        false,
        expect.stringContaining(`${nest}/${EDITED}`),
      ]);
      const edited = host.read(`${nest}/${EDITED}`);
      host.write(`${nest}/${EDITED}`, edited.replace('\n// Ours.\n', ''));
      await host.run(`${EJECT} nest --undo`);
      await host.run(`${EJECT} react --undo`);
      expect(host.has(`${nest}/src`) || host.has(`${react}/src`)).toBe(false);
      expect(host.has('node_modules/@nx-realtime/nest/dist/index.js')).toBe(true);
      host.git('add', '--all');
      // npm orders its lockfile by what came when, and Next.js writes a file of its own.
      const others = [':!package-lock.json', ':!apps/web/next-env.d.ts'];
      const left = host.git('diff', '--cached', '--stat', 'HEAD~1', '--', '.', ...others);
      expect(left).toBe('');
      const { code, output } = await host.tryRun(`npx nx run api-gateway:realtime-check`);
      expect([code, output]).toEqual([0, expect.stringContaining('is up to date')]);
    });

    function startBuilt(built: Host): Promise<Running> {
      return built.start(
        'api',
        'exec node main.js',
        { http: `http://localhost:${ports.api}/api` },
        env(),
      );
    }

    const env = (): NodeJS.ProcessEnv => ({
      PORT: String(ports.api),
      JWT_SECRET,
      FRONTEND_URL: urlsOf(ports).web,
      REALTIME_TRANSPORT: 'tcp',
      REALTIME_TCP_PORT: String(ports.tcp),
    });
  },
);
