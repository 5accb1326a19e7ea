/** The tarball of each package. */
export interface Tarballs {
  readonly plugin: string;
  readonly rules: string;
  readonly nest: string;
  readonly react: string;
}

/** Name of each package, and the variable that names its tarball to the tests. */
export const PACKAGES: {
  readonly [key in keyof Tarballs]: readonly [name: string, variable: string];
} = {
  plugin: ['@nx-realtime/plugin', 'NX_REALTIME_TARBALL'],
  rules: ['@nx-realtime/eslint-plugin', 'NX_REALTIME_RULES_TARBALL'],
  nest: ['@nx-realtime/nest', 'NX_REALTIME_NEST_TARBALL'],
  react: ['@nx-realtime/react', 'NX_REALTIME_REACT_TARBALL'],
};

export const KEYS = Object.keys(PACKAGES) as (keyof Tarballs)[];

/** Variables that name these tarballs to other processes. */
export const tarballVariables = (tarballs: Tarballs): Record<string, string> =>
  Object.fromEntries(KEYS.map((key) => [PACKAGES[key][1], tarballs[key]]));

/** Tarball of one package, as global setup or the test script names it. */
export function packedTarball(key: keyof Tarballs): string {
  const tarball = process.env[PACKAGES[key][1]];
  if (!tarball) throw new Error('Run this by Jest, whose global setup packs the packages.');
  return tarball;
}
