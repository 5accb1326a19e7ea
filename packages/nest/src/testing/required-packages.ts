import { requirePackage } from '../packages';

// Before they are imported: Node would not say how to add them.
requirePackage('@nestjs/testing', '@nx-realtime/nest/testing');
requirePackage('socket.io-client', '@nx-realtime/nest/testing');
