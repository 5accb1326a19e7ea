import { describeTerminal } from './support/terminal-suite';

describeTerminal('integrated');
