import { cleanUp } from './processes';

// A server whose handle was lost, as where another one beside it did not start, would keep the file from ending.
afterAll(cleanUp);
