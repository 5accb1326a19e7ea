import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Broadcaster } from '../../src/events/broadcaster';
import { RealtimeRevocation } from '../../src/connections/revocation';
import jwt from 'jsonwebtoken';
import { freePorts } from '../support/brokers.js';
import { Stack } from '../support/stack.js';
import { eventually } from '../broker/broker-app.js';
import { CliHost, SECRET } from './cli-host.js';

describe('nx-realtime', () => {
  let host: CliHost;

  beforeEach(() => {
    host = new CliHost();
  });

  afterEach(() => host.remove());

  it.each([[[]], [['--help']], [['help']]])('says what there is: %j', async (args) => {
    const { code, out } = await host.run(args);
    expect(code).toBe(0);
    for (const name of ['env', 'token', 'emit', 'listen', 'dead-letters']) {
      expect(out.join('\n')).toMatch(new RegExp(`^ {2}${name} `, 'm'));
      const help = await host.run([name, '--help']);
      expect(help.out.join('\n')).toContain(`nx-realtime ${name}`);
    }
  });

  it.each([
    ['RT038', ['tokens']],
    ['RT038', ['constructor']],
    ['RT038', ['token', '--usr=u1']],
    ['RT038', ['token', '--user']],
    ['RT038', ['token', '--ttl=soon']],
    ['RT038', ['token', '--claim=admin']],
    ['RT038', ['token', '--user=']],
    ['RT031', ['token', '--app=web']],
    ['RT033', ['listen', 'chats']],
  ])('refuses with %s: %j', async (code, args) => {
    await expect(host.run(args)).rejects.toThrow(new RegExp(`^${code} `));
  });

  it('needs a domain', async () => {
    rmSync(join(host.root, 'apps/api-gateway/src/realtime'), { recursive: true });
    await expect(host.run(['token'])).rejects.toThrow(/^RT030 /);
  });

  describe('token', () => {
    const minted = async (args: string[] = [], env: NodeJS.ProcessEnv = {}) => {
      const { out, notes } = await host.run(['token', ...args], { env });
      expect(notes).toEqual([]);
      expect(out).toHaveLength(1);
      return out[0] ?? '';
    };

    it('prints a token that the app accepts, and nothing else', async () => {
      const claims = jwt.verify(await minted(), SECRET, {
        algorithms: ['HS256'],
      }) as jwt.JwtPayload;
      expect(claims).toMatchObject({ sub: 'u1', tenantId: 't1' });
      expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(3_600);
    });

    it('takes user, tenant, time to live and claims', async () => {
      const args = ['--user=auth0|5f', '--tenant=a.b', '--ttl=10m'];
      const claims = jwt.verify(
        await minted([...args, '--claim', 'rooms=["r1"]', '--claim=name=Ann=Lee']),
        SECRET,
      ) as jwt.JwtPayload;
      expect(claims).toMatchObject({
        sub: 'auth0|5f',
        tenantId: 'a.b',
        rooms: ['r1'],
        name: 'Ann=Lee',
      });
      expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600);
    });

    it('follows the issuer, audience and algorithm that the app enforces, and the names it is given', async () => {
      host.write(
        'apps/api-gateway/.env',
        'JWT_ISSUER=acme\nJWT_AUDIENCE=rt\nJWT_ALGORITHMS=HS512,HS256\n',
      );
      const options = { algorithms: ['HS512' as const], issuer: 'acme', audience: 'rt' };
      const args = ['--user=u9', '--user-claim=uid', '--tenant-claim=org'];
      expect(jwt.verify(await minted(args), SECRET, options)).toMatchObject({
        uid: 'u9',
        org: 't1',
      });
    });

    it('reads the environment first, then the app, then the workspace', async () => {
      const signedWith = async (secret: string, env = {}) =>
        expect(jwt.verify(await minted([], env), secret)).toBeTruthy();
      const secret = (name: string) => `${name}-secret-of-at-least-32-bytes....`;
      host.write('.env', `JWT_SECRET=${secret('root')}\n`);
      host.write('.env.local', `JWT_SECRET=${secret('root-local')}\n`);
      host.write('apps/api-gateway/.env', `JWT_SECRET=${secret('app')}\n`);
      await signedWith(SECRET);
      host.write('apps/api-gateway/.env.local', '');
      await signedWith(secret('app'));
      host.write('apps/api-gateway/.env', '\uFEFFPORT=1\r\n');
      await signedWith(secret('root-local'));
      host.write('.env.local', '');
      await signedWith(secret('root'));
      await signedWith(secret('process'), { JWT_SECRET: secret('process') });
    });

    it.each([
      ["claims['uid']", "claims['https://acme.example/org']", 'uid', 'https://acme.example/org'],
      ["String(claims['sub'])", 'claims.org', 'sub', 'org'],
    ])(
      'reads from identify() which claims the app reads: %s, %s',
      async (user, tenant, sub, org) => {
        const code = (one: string, other: string) =>
          `export class WsAuthGuard extends HandshakeGuard {
          override identify(claims: TokenClaims) {
            return { userId: ${one}, tenantId: ${other} };
          }
        }`;
        const path = 'apps/api-gateway/src/realtime/guards/ws-auth.guard.ts';
        host.write(path, code(user, tenant));
        const claims = jwt.verify(await minted(['--user=ann', '--tenant=acme']), SECRET);
        expect(claims).toMatchObject({ [sub]: 'ann', [org]: 'acme' });
        host.write(path, code(user, "this.tenants.of(claims['a'], claims['b'])"));
        await expect(host.run(['token'])).rejects.toThrow(/^RT037 .*the tenant .*--tenant-claim/);
        const given = await minted(['--tenant-claim=c', '--tenant=acme']);
        expect(jwt.verify(given, SECRET)).toMatchObject({ c: 'acme' });
      },
    );

    it('takes a secret that is in no env file, and says that it is in none', async () => {
      host.write('apps/api-gateway/.env.local', '');
      await expect(host.run(['token'])).rejects.toThrow(
        /^RT032 REALTIME_JWT_SECRET is missing: .*, nor JWT_SECRET\..*--secret=<text>/,
      );
      expect(jwt.verify(await minted([`--secret=${SECRET}`]), SECRET)).toBeTruthy();
      await expect(host.run(['token', '--secret=short'])).rejects.toThrow(/^RT032 .*too short/);
    });

    it('signs with our name before the common one, wherever each is', async () => {
      const other = 'another-secret-of-at-least-32-bytes.';
      host.write('apps/api-gateway/.env.local', `JWT_SECRET=${other}\n`);
      host.write('.env', `REALTIME_JWT_SECRET=${SECRET}\n`);
      expect(jwt.verify(await minted([]), SECRET)).toBeTruthy();
    });

    it.each([
      'apps/api-gateway/.env.development',
      'apps/api-gateway/.env.serve.development.local',
      'apps/api-gateway/.local.env',
      '.env.serve',
    ])('reads %s, as nx serve does', async (path) => {
      host.write('apps/api-gateway/.env.local', '');
      host.write(path, `JWT_SECRET=${SECRET}\n`);
      expect(jwt.verify(await minted([]), SECRET)).toBeTruthy();
    });

    it.each([
      ['RT032', 'no secret', ''],
      ['RT032', 'an empty secret', 'JWT_SECRET=\n'],
      ['RT032', 'a short secret', 'JWT_SECRET=short\n'],
      ['RT037', 'a public key', 'JWT_PUBLIC_KEY=x\n'],
      ['RT037', 'a key set', 'JWKS_URI=https://id.example/keys\n'],
      ['RT037', 'another algorithm', `JWT_SECRET=${SECRET}\nJWT_ALGORITHMS=RS256\n`],
      ['RT039', 'production', `JWT_SECRET=${SECRET}\nNODE_ENV=production\n`],
    ])('refuses with %s: %s', async (code, _what, env) => {
      host.write('apps/api-gateway/.env.local', env);
      const failure = host.run(['token']);
      await expect(failure).rejects.toThrow(new RegExp(`^${code} `));
      await expect(failure).rejects.not.toThrow(SECRET);
    });

    it('asks which app where there are several', async () => {
      host.addApp('admin');
      host.addDomain('admin', { name: 'Job' });
      host.write('apps/admin/.env.local', `JWT_SECRET=${SECRET}-of-admin\n`);
      await expect(host.run(['token'])).rejects.toThrow(
        /^RT031 .*(admin, api-gateway|api-gateway, admin)/,
      );
      expect(jwt.verify(await minted(['--app=admin']), `${SECRET}-of-admin`)).toBeTruthy();
    });
  });

  describe('listen', () => {
    let stack: Stack;
    const running: { abort: AbortController; ended: Promise<unknown> }[] = [];

    beforeEach(async () => {
      stack = await Stack.start({
        env: { REALTIME_JWT_SECRET: SECRET, REALTIME_ORIGINS: 'http://localhost:3000' },
      });
      host.write(
        'apps/api-gateway/.env.local',
        `JWT_SECRET=${SECRET}\nPORT=${stack.port}\nFRONTEND_URL=http://localhost:3000\n`,
      );
    });

    afterEach(async () => {
      for (const { abort, ended } of running.splice(0)) {
        abort.abort();
        await ended.catch(() => undefined);
      }
      await stack.close();
    });

    /** Starts to listen; resolves once connected or ended. */
    async function start(...args: string[]) {
      const abort = new AbortController();
      const lines: string[] = [];
      const ended = host.run(['listen', ...args], {
        signal: abort.signal,
        onLine: (line) => lines.push(line),
      });
      running.push({ abort, ended });
      const connected = eventually(() => lines.some((line) => line.startsWith('connected')));
      await Promise.race([connected, ended]);
      return { abort, ended, lines };
    }

    const send = (room: 'toTenant' | 'toUser', to: string[], id: string) => {
      const clients = stack.app
        .get(Broadcaster)
        .namespace<Record<string, (...a: never[]) => void>>('/notifications') as unknown as Record<
        string,
        (...args: unknown[]) => void
      >;
      const meta = { id: `event-${id}`, at: '2030-01-01T00:00:00.000Z' };
      clients[room]?.(...to, 'notification.created', { id }, meta);
    };

    it('prints what its user receives, and nothing of others', async () => {
      const { abort, ended, lines } = await start(
        'notifications',
        '--user=u7',
        '--tenant=t1',
        '--json',
      );
      send('toTenant', ['t2'], 'of another tenant');
      send('toUser', ['t1', 'u8'], 'of another user');
      send('toUser', ['t1', 'u7'], 'mine');
      send('toTenant', ['t1'], 'of us all');
      await eventually(() => lines.filter((line) => line.startsWith('{')).length === 2);
      const meta = (id: string) => ({ id, at: '2030-01-01T00:00:00.000Z' });
      expect(lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line))).toEqual([
        {
          namespace: '/notifications',
          event: 'notification.created',
          payload: { id: 'mine' },
          meta: meta('event-mine'),
        },
        {
          namespace: '/notifications',
          event: 'notification.created',
          payload: { id: 'of us all' },
          meta: meta('event-of us all'),
        },
      ]);
      abort.abort();
      expect(await ended).toMatchObject({ code: 0 });
    });

    it('prints a line for people', async () => {
      const { lines } = await start();
      send('toTenant', ['t1'], 'a');
      await eventually(() =>
        lines.includes('2030-01-01T00:00:00.000Z notification.created {"id":"a"}'),
      );
    });

    it('says why the app refuses, and ends', async () => {
      const { ended } = await start('--token=garbage').catch((error) => ({
        ended: Promise.reject(error),
      }));
      await expect(ended).rejects.toThrow(/^RT041 \/notifications refuses: UNAUTHORIZED/);
      await expect(host.run(['listen', '--ttl=-60'])).rejects.toThrow(/^RT041 .*TOKEN_EXPIRED/);
    });

    it('ends when its user is cut off', async () => {
      const { ended } = await start('--user=u7');
      const failure = expect(ended).rejects.toThrow(/^RT041 .*cut/);
      await stack.app.get(RealtimeRevocation).revoke({ tenantId: 't1', userId: 'u7' });
      await failure;
    });

    it('takes a token where none can be minted', async () => {
      const minted = (await host.run(['token'])).out[0] ?? '';
      host.write(
        'apps/api-gateway/.env.local',
        `JWKS_URI=https://id.example\nPORT=${stack.port}\n`,
      );
      await expect(host.run(['listen'])).rejects.toThrow(/^RT037 /);
      const { lines } = await start(`--token=${minted}`);
      expect(lines).toContain('connected to /notifications');
    });

    it('says that the app refuses its origin', async () => {
      const env = { REALTIME_ORIGINS: 'https://elsewhere.example' };
      await expect(host.run(['listen'], { env })).rejects.toThrow(
        /^RT041 api-gateway refuses the connection: .*https:\/\/elsewhere\.example/,
      );
    });

    it.each([
      [
        'issuer',
        { iss: 'https://other.example' },
        /issuer \(iss\) is "https:\/\/other.example", and JWT_ISSUER is acme/,
      ],
      [
        'key',
        { secret: 'another-secret-of-at-least-32-bytes.' },
        /signature does not fit REALTIME_JWT_SECRET/,
      ],
      [
        'claim',
        { tenantId: undefined },
        /no claim tenantId, which identify\(\) of your guard reads/,
      ],
      ['number', { tenantId: 7 }, /claim tenantId is a number: text, or numericIds/],
      ['time', { exp: 1 }, /expired \(exp\)/],
      [
        'algorithm',
        { algorithm: 'HS512' as const },
        /signed with HS512, and JWT_ALGORITHMS is HS256/,
      ],
    ])('says to the developer why the app refuses a token: %s', async (_what, over, why) => {
      host.write('apps/api-gateway/.env', 'JWT_ISSUER=acme\n');
      const {
        secret = SECRET,
        algorithm = 'HS256' as const,
        ...claims
      } = over as {
        secret?: string;
        algorithm?: 'HS256';
      };
      const exp = Math.floor(Date.now() / 1_000) + 60;
      const all = { sub: 'u1', tenantId: 't1', iss: 'acme', exp, ...claims };
      const token = jwt.sign(JSON.parse(JSON.stringify(all)) as object, secret, { algorithm });
      const own = await Stack.start({
        env: {
          REALTIME_JWT_SECRET: SECRET,
          REALTIME_ORIGINS: 'http://localhost:3000',
          JWT_ISSUER: 'acme',
        },
      });
      try {
        const url = `--url=http://localhost:${own.port}`;
        const failure = host.run(['listen', `--token=${token}`, url]);
        await expect(failure).rejects.toThrow(/^RT041 /);
        await expect(failure).rejects.toThrow(why);
      } finally {
        await own.close();
      }
    });

    it('takes the path of the URL for that of Socket.IO, and REALTIME_PATH where it has none', async () => {
      const env = {
        REALTIME_JWT_SECRET: SECRET,
        REALTIME_ORIGINS: 'http://localhost:3000',
        REALTIME_PATH: '/api/socket.io',
      };
      const own = await Stack.start({ env });
      try {
        const url = `--url=http://localhost:${own.port}`;
        expect((await start(`${url}/api/socket.io`)).lines).toContain(
          'connected to /notifications',
        );
        await expect(host.run(['listen', url])).rejects.toThrow(/^RT036 .*REALTIME_PATH/);
        host.write('apps/api-gateway/.env', 'REALTIME_PATH=/api/socket.io\n');
        expect((await start(url)).lines).toContain('connected to /notifications');
      } finally {
        await own.close();
      }
    });

    it('says that nothing listens', async () => {
      const [port] = await freePorts();
      await expect(host.run(['listen', `--url=http://localhost:${port}`])).rejects.toThrow(
        new RegExp(`^RT036 api-gateway cannot be reached at http://localhost:${port}`),
      );
    });
  });
});
