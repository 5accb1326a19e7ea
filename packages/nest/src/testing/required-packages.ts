import { requirePackage } from '../packages';

// These run before the imports of the packages: Node would not say how to add
// them.
requirePackage('@nestjs/testing', '@nx-realtime/nest/testing');
requirePackage('socket.io-client', '@nx-realtime/nest/testing');
