import { loadRealtimeConfig } from '../src/config/realtime.config';
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { ENV } from './support/stack.js';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const rsaPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString();
const ecPem = (namedCurve: string): string =>
  generateKeyPairSync('ec', { namedCurve })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
const weakPem = generateKeyPairSync('rsa', { modulusLength: 1024 })
  .publicKey.export({ type: 'spki', format: 'pem' })
  .toString();

const load = (env: Record<string, string | undefined>) => loadRealtimeConfig({ ...ENV, ...env });
const problems = (env: Record<string, string | undefined>): string[] => {
  try {
    load(env);
    return [];
  } catch (error) {
    return String((error as Error).message)
      .split('\n  ')
      .slice(1);
  }
};

describe('loadRealtimeConfig', () => {
  it('has safe defaults', () => {
    const config = load({});
    expect(config).toMatchObject({
      path: '/socket.io',
      transport: 'tcp',
      origins: ['http://localhost:4200'],
      allowNoOrigin: true,
      jwt: { algorithms: ['HS256'] },
      trustedProxies: 0,
      shutdown: { timeoutMs: 25_000, delayMs: 0 },
      limits: {
        maxMessageBytes: 65_536,
        events: { perSecond: 20, burst: 100 },
        userEvents: { perSecond: 60, burst: 300 },
        handshakes: { perSecond: 500, burst: 5_000 },
        maxConnectionsPerUser: 20,
        maxBufferedBytes: 1_048_576,
      },
    });
  });

  it('lists every missing variable on a line of its own, and the command that creates them', () => {
    const lines = problems(Object.fromEntries(Object.keys(ENV).map((name) => [name, undefined])));
    expect(lines.map((line) => line.split(' ')[0])).toEqual([
      'REALTIME_ORIGINS',
      'REALTIME_JWT_SECRET',
      'RABBITMQ_URL',
      'Development',
    ]);
    expect(lines.at(-1)).toContain('npx nx-realtime env');
  });

  it('takes an empty variable for one that is not set', () => {
    expect(problems({ REALTIME_JWT_SECRET: '', REALTIME_ORIGINS: ' ' })).toHaveLength(3);
    expect(load({ REDIS_URL: '', JWT_ISSUER: '' })).toMatchObject({ redisUrl: undefined });
  });

  it.each([
    ['REALTIME_JWT_SECRET', 'short'],
    ['JWT_ALGORITHMS', 'RS256'],
    ['JWT_ALGORITHMS', 'none'],
    ['JWT_ALGORITHMS', 'HS256,none'],
    ['REALTIME_ORIGINS', '*'],
    ['REALTIME_ORIGINS', 'https://*.acme.com'],
    ['REALTIME_ORIGINS', 'https://app.acme.com/path'],
    ['REALTIME_ORIGINS', 'https://user@app.acme.com'],
    ['REALTIME_ORIGINS', 'app.acme.com'],
    ['REALTIME_ORIGINS', 'null'],
    ['REALTIME_ORIGINS', 'file://localhost'],
    ['REALTIME_ORIGINS', 'capacitor://*'],
    ['REALTIME_ORIGINS', 'capacitor://localhost/path'],
    ['REALTIME_ORIGINS', ','],
    ['REALTIME_PATH', 'realtime'],
    ['REALTIME_PATH', '/realtime/'],
    ['REALTIME_TRANSPORT', 'kafka'],
    ['REALTIME_TCP_PORT', '70000'],
    ['REALTIME_TCP_PORT', 'x'],
    ['REDIS_URL', 'http://localhost'],
    ['RABBITMQ_URL', 'localhost:5672'],
    ['REALTIME_MAX_MESSAGE_BYTES', '-1'],
    ['REALTIME_ALLOW_NO_ORIGIN', 'yes'],
    ['REALTIME_TRUST_PROXY', 'true'],
    ['REALTIME_RATE_EVENTS', '0'],
    ['REALTIME_RATE_HANDSHAKES_BURST', '1.5'],
    ['REALTIME_MAX_CONNECTIONS_PER_USER', '0'],
    ['REALTIME_MAX_BUFFERED_BYTES', 'Infinity'],
    ['REALTIME_MAX_DEAD_LETTERS', '0'],
    ['REALTIME_FORMER_NAMES', 'orders, with a space'],
    ['REALTIME_NAME', 'shop #1'],
    ['REALTIME_EXCHANGE', 'a b'],
    ['REALTIME_SHUTDOWN_MS', '0'],
    ['REALTIME_DRAIN_DELAY_MS', '12501'],
  ])('refuses %s=%s, naming it and what is allowed', (name, value) => {
    const lines = problems({ [name]: value });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(new RegExp(`^${name} .+; allowed: .+`));
  });

  describe('of names that teams have already', () => {
    const none = { REALTIME_JWT_SECRET: undefined, REALTIME_ORIGINS: undefined };
    const secretOf = (...layers: Parameters<typeof loadRealtimeConfig>): string =>
      String(loadRealtimeConfig(...layers).jwt.key?.export());
    const [ours, theirs] = ['ours', 'theirs'].map((name) => name.padEnd(32, '.'));

    it('takes what they hold where ours is not set', () => {
      const { jwt, origins } = load({
        ...none,
        JWT_SECRET: theirs,
        FRONTEND_URL: 'https://a.example',
      });
      expect(jwt.key?.export().toString()).toBe(theirs);
      expect(jwt.keyVariable).toBe('JWT_SECRET');
      expect(origins).toEqual(['https://a.example']);
      expect(
        load({ ...none, REALTIME_JWT_SECRET: ' ', JWT_SECRET: theirs, FRONTEND_URL: 'http://a' }),
      ).toMatchObject({
        jwt: { keyVariable: 'JWT_SECRET' },
      });
    });

    it('takes ours where both are set', () => {
      const { jwt, origins } = load({
        REALTIME_JWT_SECRET: ours,
        JWT_SECRET: theirs,
        REALTIME_ORIGINS: 'https://b.example',
        // As one for links in mails may look.
        FRONTEND_URL: 'https://a.example/path',
      });
      expect(jwt.key?.export().toString()).toBe(ours);
      expect(jwt.keyVariable).toBe('REALTIME_JWT_SECRET');
      expect(origins).toEqual(['https://b.example']);
    });

    it('names the one that is wrong, as its owner knows it', () => {
      expect(problems({ ...none, JWT_SECRET: 'short', FRONTEND_URL: 'x' })).toEqual([
        expect.stringMatching(/^JWT_SECRET is too short/),
        expect.stringMatching(/^FRONTEND_URL is not allowed/),
      ]);
      const both = {
        ...none,
        JWT_SECRET: theirs,
        FRONTEND_URL: 'http://a',
        JWT_PUBLIC_KEY: rsaPem,
      };
      expect(problems(both)).toEqual([
        expect.stringMatching(/^JWT_SECRET, JWT_PUBLIC_KEY are set together/),
      ]);
    });

    it('lets options win over the environment, by whichever name', () => {
      const env = { ...ENV, REALTIME_JWT_SECRET: theirs };
      expect(secretOf(env, { JWT_SECRET: ours })).toBe(ours);
      expect(
        secretOf(
          { ...env, ...none, REALTIME_ORIGINS: 'http://a', JWT_SECRET: theirs },
          { REALTIME_JWT_SECRET: ours },
        ),
      ).toBe(ours);
      expect(secretOf(env, {})).toBe(theirs);
    });
  });

  it('never repeats a value that may be secret', () => {
    const text = problems({
      REALTIME_JWT_SECRET: 'hunter2',
      RABBITMQ_URL: 'http://u:hunter2@h',
    }).join();
    expect(text).not.toContain('hunter2');
  });

  it('normalises origins', () => {
    const shells =
      'capacitor://localhost, ionic://localhost, tauri://localhost, chrome-extension://abc';
    expect(load({ REALTIME_ORIGINS: shells }).origins).toEqual(shells.split(', '));
    const { origins } = load({
      REALTIME_ORIGINS: 'https://App.acme.com:443/, http://localhost:3000',
    });
    expect(origins).toEqual(['https://app.acme.com', 'http://localhost:3000']);
  });

  it('refuses the embedded broker in production', () => {
    expect(problems({ NODE_ENV: 'production' })).toEqual([
      expect.stringMatching(/^REALTIME_TRANSPORT tcp .+; allowed in production: rmq$/),
    ]);
  });

  it('wants exactly one kind of key', () => {
    expect(problems({ JWT_PUBLIC_KEY: rsaPem })).toEqual([
      expect.stringContaining('REALTIME_JWT_SECRET, JWT_PUBLIC_KEY'),
    ]);
    expect(problems({ REALTIME_JWT_SECRET: undefined })[0]).toContain(
      'REALTIME_JWT_SECRET is missing',
    );
  });

  it('parses public keys at boot, with literal line breaks too', () => {
    for (const pem of [rsaPem, rsaPem.replaceAll('\n', '\\n')]) {
      const { jwt } = load({ REALTIME_JWT_SECRET: undefined, JWT_PUBLIC_KEY: pem });
      expect(jwt.key?.asymmetricKeyType).toBe('rsa');
      expect(jwt.algorithms).toEqual(['RS256']);
    }
  });

  it.each([
    ['P-256', 'ES256'],
    ['P-384', 'ES384'],
    ['P-521', 'ES512'],
  ])('pins the algorithm of the curve %s', (curve, algorithm) => {
    const { jwt } = load({ REALTIME_JWT_SECRET: undefined, JWT_PUBLIC_KEY: ecPem(curve) });
    expect(jwt.algorithms).toEqual([algorithm]);
  });

  it.each([
    ['text', 'not a key'],
    ['a weak key', weakPem],
    ['a curve that JWT does not know', ecPem('secp224r1')],
  ])('refuses %s as a public key', (_name, JWT_PUBLIC_KEY) => {
    expect(problems({ REALTIME_JWT_SECRET: undefined, JWT_PUBLIC_KEY })[0]).toMatch(
      /^JWT_PUBLIC_KEY /,
    );
  });

  it('never pairs a public key with a symmetric algorithm', () => {
    const env = { REALTIME_JWT_SECRET: undefined, JWT_PUBLIC_KEY: rsaPem, JWT_ALGORITHMS: 'HS256' };
    expect(problems(env)[0]).toMatch(/^JWT_ALGORITHMS /);
  });

  it('takes key sets over https, and over http from this machine only', () => {
    const env = { REALTIME_JWT_SECRET: undefined };
    expect(problems({ ...env, JWKS_URI: 'https://id.acme.com/jwks' })).toEqual([]);
    expect(problems({ ...env, JWKS_URI: 'http://localhost:8080/jwks' })).toEqual([]);
    expect(problems({ ...env, JWKS_URI: 'http://id.acme.com/jwks' })).toHaveLength(1);
  });
});
