import { Recorder, refusalOf } from './recorder';
import { JWT_SECRET, urlsOf, USERS, type Ports } from './stack';
import { mintToken } from './token';

/**
 * What a stranger tries at the handshake.
 *
 * @param namespaces all that there are
 */
export function describeAttacks(
  portsOf: () => Ports,
  namespaces: readonly [string, ...string[]],
): void {
  const url = (): string => urlsOf(portsOf()).api;
  const claims = USERS[0] as (typeof USERS)[0];
  const token = (): string => mintToken(JWT_SECRET, claims);
  const forged = (): string => mintToken('another-secret-of-more-than-32-bytes!', claims);
  const unsigned = (): string => {
    const part = (value: object): string =>
      Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'none' })}.${part({ ...claims, exp: 4_000_000_000 })}.`;
  };

  it.each([
    ['no token', 'UNAUTHORIZED', () => undefined],
    ['garbage', 'UNAUTHORIZED', () => 'garbage'],
    ['a token of another signer', 'UNAUTHORIZED', forged],
    ['an unsigned token', 'UNAUTHORIZED', unsigned],
    ['an expired token', 'TOKEN_EXPIRED', () => mintToken(JWT_SECRET, claims, -60)],
  ])('refuses %s on every namespace with %s', async (_case, code, tokenOf) => {
    for (const namespace of namespaces) {
      const refusal = await refusalOf(url(), namespace, { token: tokenOf() });
      expect(refusal).toEqual({ message: expect.stringMatching(/^Unauthorized/), code });
    }
  });

  it('refuses the root namespace and unknown ones, token or not', async () => {
    const root = await refusalOf(url(), '/', { token: token() });
    expect(root).toMatchObject({ code: 'NAMESPACE_REQUIRED' });
    const unknown = await refusalOf(url(), '/admin', { token: token() });
    expect(unknown).toMatchObject({ message: 'Invalid namespace' });
  });

  it('refuses a page of another origin, and accepts its own', async () => {
    const evil = refusalOf(url(), namespaces[0], {
      token: token(),
      origin: 'https://evil.example',
    });
    expect(await evil).toEqual({ message: 'websocket error', code: undefined });
    const options = { token: token(), origin: urlsOf(portsOf()).web };
    (await Recorder.connect('own origin', url(), namespaces[0], options)).close();
  });
}
