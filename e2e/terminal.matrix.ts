import { describeTerminal } from './support/terminal-suite';

/** Nx 22.7. */
describeTerminal('oldest');
