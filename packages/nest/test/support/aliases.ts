import { resolve } from 'node:path';

/** The package's folder. */
export const PACKAGE = resolve(import.meta.dirname, '../..');

/** Where hosts are rendered. */
export const TMP = resolve(PACKAGE, 'tmp');

/** How tests and the rendered host name each other's modules. */
export const aliasesOf = (host: string) => [
  {
    find: '@kernel',
    replacement: `${TMP}/${host}/apps/api-gateway/src/realtime`,
  },
  {
    find: '@orders',
    replacement: `${TMP}/${host}/apps/orders/src/realtime/publisher`,
  },
  {
    find: /^@acme\/realtime-contracts\/(.*)$/,
    replacement: `${TMP}/${host}/libs/realtime-contracts/src/$1.contract.ts`,
  },
  { find: /^@nx-realtime\/nest$/, replacement: `${PACKAGE}/src/index.ts` },
  {
    find: /^@nx-realtime\/nest\/(.*)$/,
    replacement: `${PACKAGE}/src/$1/index.ts`,
  },
];
