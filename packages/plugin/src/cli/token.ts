import { createHmac } from 'node:crypto';
import { RealtimeError } from '../domain/index.js';
import { parseSeconds, readArgs } from './args.js';
import type { Command } from './cli.js';
import { chooseApp, readApps, requireEnv } from './workspace.js';
import type { CliApp } from './workspace.js';

/** Ids that consumers and gateways accept. */
const ID = /^[^\p{Cc}\p{Cs}]{1,256}$/u;

/** Of the algorithms that a secret signs with. */
export const HASHES: Readonly<Record<string, string>> = {
  HS256: 'sha256',
  HS384: 'sha384',
  HS512: 'sha512',
};

/** Options of every command that mints a token. */
export const TOKEN_OPTIONS = {
  app: { type: 'string' },
  user: { type: 'string' },
  tenant: { type: 'string' },
  'user-claim': { type: 'string' },
  'tenant-claim': { type: 'string' },
  ttl: { type: 'string' },
  claim: { type: 'string', multiple: true },
  secret: { type: 'string' },
} as const;

export interface TokenOptions {
  readonly user?: string | undefined;
  readonly tenant?: string | undefined;
  readonly 'user-claim'?: string | undefined;
  readonly 'tenant-claim'?: string | undefined;
  readonly ttl?: string | undefined;
  readonly claim?: readonly string[] | undefined;
  readonly secret?: string | undefined;
}

export const TOKEN_HELP = `  --user=<id>          default u1
  --tenant=<id>        default t1
  --user-claim=<name>  the claim of the user; default what identify() of your guard reads
  --tenant-claim=<name>  the claim of the tenant; the same default
  --secret=<text>      what the app signs with, where no env file says it
  --ttl=<time>         90, 10m, 1h (default), 7d; negative: expired already
  --claim=<key=value>  another claim, its value JSON or text; repeatable`;

export const token: Command = {
  summary: 'print a token that the app accepts, signed with the secret of its env files',
  help: `nx-realtime token [options]

Prints a token for the handshake, and nothing else. Signed with the REALTIME_JWT_SECRET, or else the JWT_SECRET, of the app's env files;
refused where NODE_ENV is production.

${TOKEN_HELP}
  --app=<name>         which app, where several serve domains`,

  run(cli, args) {
    const { values } = readArgs(args, TOKEN_OPTIONS);
    const app = chooseApp(readApps(cli), values.app);
    cli.out(mintToken(app, values));
    return Promise.resolve(0);
  },
};

/**
 * A token as the app verifies it.
 *
 * @throws RealtimeError RT032 without a secret, RT037 where none can be minted, RT038, RT039
 */
export function mintToken(app: CliApp, options: TokenOptions): string {
  const { env } = app;
  const secret = secretOf(app, options.secret);
  const algorithm = algorithmOf(app);
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iat: now,
    exp: now + parseSeconds('--ttl', options.ttl ?? '1h'),
    ...(env['JWT_ISSUER'] !== undefined && { iss: env['JWT_ISSUER'] }),
    ...(env['JWT_AUDIENCE'] !== undefined && { aud: env['JWT_AUDIENCE'] }),
    [claimOf(app, 'user', options)]: parseId('--user', options.user ?? 'u1'),
    [claimOf(app, 'tenant', options)]: parseId('--tenant', options.tenant ?? 't1'),
    ...Object.fromEntries((options.claim ?? []).map(parseClaim)),
  };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: algorithm, typ: 'JWT' })}.${part(claims)}`;
  const signature = createHmac(HASHES[algorithm] ?? '', secret)
    .update(signed)
    .digest('base64url');
  return `${signed}.${signature}`;
}

/** @throws RealtimeError RT038 */
export function parseId(option: string, text: string): string {
  if (ID.test(text)) return text;
  throw new RealtimeError(
    'RT038',
    `${option}: an id has 1 to 256 characters, none of them a control character.`,
  );
}

/** @throws RealtimeError RT037 where the guard's code does not tell */
function claimOf({ claims, facts }: CliApp, of: 'user' | 'tenant', options: TokenOptions): string {
  const claim = options[`${of}-claim`] ?? claims[of];
  if (claim !== null) return claim;
  throw new RealtimeError(
    'RT037',
    `identify() of ${facts.realtimeRoot}/guards/ws-auth.guard.ts does not read the ${of} from one claim that can be seen: name it with --${of}-claim=<name>.`,
  );
}

function secretOf(app: CliApp, given: string | undefined): string {
  const { env, facts } = app;
  const other = ['JWT_PUBLIC_KEY', 'JWKS_URI'].find((name) => env[name] !== undefined);
  if (given === undefined && env['REALTIME_JWT_SECRET'] === undefined && other) {
    throw new RealtimeError(
      'RT037',
      `${facts.name} verifies tokens with ${other}, so only the holder of the private key can sign one. Sign in as you do in your app and take its token: nx-realtime listen --token=<token>`,
    );
  }
  if (env['NODE_ENV'] === 'production') {
    throw new RealtimeError(
      'RT039',
      'NODE_ENV is production: a token that the app accepts would be anyone. Unset NODE_ENV in development.',
    );
  }
  const secret =
    given ??
    requireEnv(
      app,
      'REALTIME_JWT_SECRET',
      'Where the app has it from elsewhere, pass it: --secret=<text>. For development it is made by: npx nx-realtime env',
    );
  if (Buffer.byteLength(secret) < 32) {
    throw new RealtimeError(
      'RT032',
      `REALTIME_JWT_SECRET is too short: ${facts.name} refuses to boot with less than 32 bytes.`,
    );
  }
  return secret;
}

function algorithmOf({ env, facts }: CliApp): string {
  const given = (env['JWT_ALGORITHMS'] ?? 'HS256').split(',').map((name) => name.trim());
  const algorithm = given.find((name) => Object.hasOwn(HASHES, name));
  if (algorithm !== undefined) return algorithm;
  throw new RealtimeError(
    'RT037',
    `JWT_ALGORITHMS of ${facts.name} is ${given.join(', ')}: none that a secret can sign with (${Object.keys(HASHES).join(', ')}).`,
  );
}

function parseClaim(text: string): [string, unknown] {
  const at = text.indexOf('=');
  if (at < 1) throw new RealtimeError('RT038', `--claim: "${text}" is not key=value.`);
  const value = text.slice(at + 1);
  try {
    return [text.slice(0, at), JSON.parse(value) as unknown];
  } catch {
    return [text.slice(0, at), value];
  }
}
