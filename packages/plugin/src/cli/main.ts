#!/usr/bin/env node
import { RealtimeError } from '../domain/index.js';
import { createEnvFiles } from './env.js';

const USAGE = `nx-realtime <command>

  env    create the development env files that this clone lacks (git-ignored, random secret)
`;

async function main([command]: string[]): Promise<number> {
  switch (command) {
    case 'env':
      console.log(createEnvFiles());
      return 0;
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      console.log(USAGE);
      return 0;
    default:
      console.error(`There is no command "${command}".\n\n${USAGE}`);
      return 1;
  }
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof RealtimeError ? error.message : error);
    process.exitCode = 1;
  },
);
