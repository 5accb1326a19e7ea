import { createHmac, timingSafeEqual } from 'node:crypto';
import { HASHES } from './token.js';
import type { CliApp } from './workspace.js';

/**
 * Why the app that these env files are of refuses a token, as far as they tell, for a developer; the
 * app's own log says it for certain.
 *
 * @param secret in place of that of the env files
 */
export function whyRefused(app: CliApp, token: string, secret?: string): string {
  const { env, claims: names } = app;
  const [head = '', body = '', signature = ''] = token.split('.');
  const header = decode(head);
  const claims = decode(body);
  if (!header || !claims) return 'it is no JWT';
  const key = secret ?? env['REALTIME_JWT_SECRET'];
  const alg = String(header['alg']);
  const allowed = (env['JWT_ALGORITHMS'] ?? (key ? 'HS256' : ''))
    .split(',')
    .map((one) => one.trim());
  if (allowed[0] && !allowed.includes(alg)) {
    return `it is signed with ${alg}, and JWT_ALGORITHMS is ${allowed.join(', ')}`;
  }
  const hash = HASHES[alg];
  if (key !== undefined && hash !== undefined) {
    const right = createHmac(hash, key).update(`${head}.${body}`).digest();
    const given = Buffer.from(signature, 'base64url');
    if (given.length !== right.length || !timingSafeEqual(given, right)) {
      return 'its signature does not fit REALTIME_JWT_SECRET';
    }
  }
  const now = Date.now() / 1_000;
  const tolerance = Number(env['JWT_CLOCK_TOLERANCE_S'] ?? 5);
  const { exp, nbf, iss, aud } = claims;
  if (typeof exp !== 'number') return 'it has no exp';
  if (exp + tolerance <= now) return 'it has expired (exp)';
  if (typeof nbf === 'number' && nbf - tolerance > now) return 'it is not valid yet (nbf)';
  const { JWT_ISSUER: issuer, JWT_AUDIENCE: audience } = env;
  if (issuer !== undefined && iss !== issuer) {
    return `its issuer (iss) is ${JSON.stringify(iss) ?? 'missing'}, and JWT_ISSUER is ${issuer}`;
  }
  if (audience !== undefined && ![aud].flat().includes(audience)) {
    return `its audience (aud) is ${JSON.stringify(aud) ?? 'missing'}, and JWT_AUDIENCE is ${audience}`;
  }
  for (const name of [names.user, names.tenant]) {
    const id = name === null ? '' : claims[name];
    if (id === undefined) return `it has no claim ${name}, which identify() of your guard reads`;
    if (typeof id === 'number')
      return `its claim ${name} is a number: text, or numericIds in forRoot()`;
  }
  return `the log of ${app.facts.shortName} says why, under "Security": the env files here do not tell`;
}

function decode(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return typeof value === 'object' ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}
