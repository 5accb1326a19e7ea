import { decode } from 'jsonwebtoken';
import type { RealtimeConfig } from '../config/realtime.config';
import type { TokenClaims } from './identity';

/** What a token is refused for, beside a time that has not come or has passed. */
type Fault =
  'malformed' | 'algorithm' | 'signature' | 'key' | 'issuer' | 'audience';

/** By the beginning of what jsonwebtoken says. */
const OF_JSONWEBTOKEN: readonly (readonly [text: string, fault: Fault])[] = [
  ['invalid algorithm', 'algorithm'],
  ['invalid signature', 'signature'],
  ['jwt signature is required', 'signature'],
  ['jwt issuer invalid', 'issuer'],
  ['jwt audience invalid', 'audience'],
];

/** By the code of jose, or by the claim that it names. */
const OF_JOSE: Readonly<Record<string, Fault>> = {
  ERR_JOSE_ALG_NOT_ALLOWED: 'algorithm',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
  ERR_JWKS_NO_MATCHING_KEY: 'key',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'key',
  iss: 'issuer',
  aud: 'audience',
};

/**
 * Why the library has refused a token, and the variable to set: for the log,
 * never for the client.
 */
export function reasonFor(
  error: unknown,
  token: string,
  { jwt }: RealtimeConfig,
): string {
  const { header, payload } = read(token);
  const { keyVariable, algorithms, issuer, audience } = jwt;
  const { alg, kid, crit } = header;
  if (crit !== undefined) {
    return `its header demands what is not supported: crit ${said(crit)}`;
  }
  switch (faultOf(error)) {
    case 'algorithm':
      return `it is signed with ${said(alg)}, and the algorithms are ${algorithms.join(', ')}: set JWT_ALGORITHMS`;
    case 'signature':
      return `its signature does not fit ${keyVariable}: whoever signs tokens has another key, or the token was changed`;
    case 'key':
      return `the key set of JWKS_URI has no key for it: kid ${said(kid)}, ${said(alg)}`;
    case 'issuer':
      return `its issuer (iss) is ${said(payload['iss'])}, and JWT_ISSUER is ${said(issuer)}`;
    case 'audience':
      return `its audience (aud) is ${said(payload['aud'])}, and JWT_AUDIENCE is ${said(audience)}`;
    case 'malformed':
      return `it is no JWT: ${error instanceof Error ? error.message.slice(0, 100) : ''}`;
  }
}

function faultOf(error: unknown): Fault {
  const { message = '', code = '', claim = '' } = Object(error);
  const known = OF_JSONWEBTOKEN.find(([text]) =>
    String(message).startsWith(text),
  );
  return known?.[1] ?? OF_JOSE[claim] ?? OF_JOSE[code] ?? 'malformed';
}

function read(token: string): { header: TokenClaims; payload: TokenClaims } {
  try {
    const { header, payload } = Object(decode(token, { complete: true }));
    return { header: { ...header }, payload: { ...Object(payload) } };
  } catch {
    return { header: {}, payload: {} };
  }
}

/** A value as JSON, as far as a line has room for it. */
function said(value: unknown): string {
  return value === undefined
    ? 'missing'
    : (JSON.stringify(value) ?? '').slice(0, 200);
}

/**
 * Why a value that `identify` has read is no id. Names of claims are told, and
 * no values.
 */
export function reasonForId(
  name: 'userId' | 'tenantId',
  value: unknown,
  claims: TokenClaims,
): string {
  const usual = name === 'userId' ? 'sub' : name;
  const [claim = usual] = Object.keys(claims).filter(
    (key) => value !== undefined && claims[key] === value,
  );
  const subject = `its ${name} (claim ${said(claim).slice(1, -1)})`;
  if (value === undefined || value === null) {
    const names = Object.keys(claims).join(', ').slice(0, 200);
    return `${subject} is missing: it has ${names}; identify() of your guard says which claim it is`;
  }
  if (Number.isSafeInteger(value)) {
    return `${subject} is a number: sign it as text, or set numericIds: true in RealtimeCoreModule.forRoot()`;
  }
  const what =
    typeof value === 'string'
      ? `a text of ${value.length} characters${/\p{Cc}/u.test(value) ? ', control characters among them' : ''}`
      : Array.isArray(value)
        ? 'a list'
        : `of type ${typeof value}`;
  return `${subject} is ${what}; allowed: text of 1 to 256 characters, none of them a control character`;
}
