import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Server } from 'node:http';
import { Logger } from '@nestjs/common';

/** Between its gateways and `app.listen()` an app takes less than that. */
const GRACE_MS = 5_000;
/** Of Node: a request arrives at any server of this process. */
const REQUESTS = 'http.server.request.start';

const UNSERVED =
  'Requests arrive at a server that gateways are not bound to, while the one of the app does not listen: no client can connect. Give yours to setupRealtime(app, { server }) before app.init(), or call app.listen()';

/**
 * Says so, once, where the server of the gateways does not listen and another
 * one of the process is in use.
 *
 * @param graceMs time that it has to listen
 */
export function tellUnserved(server: Server, graceMs = GRACE_MS): void {
  const end = (): void => {
    clearTimeout(timer);
    unsubscribe(REQUESTS, onRequest);
  };
  const onRequest = (): void => {
    end();
    new Logger('Realtime').error(UNSERVED);
  };
  // While it does not listen itself, every request is another's.
  const timer = setTimeout(() => subscribe(REQUESTS, onRequest), graceMs);
  timer.unref();
  server.once('listening', end);
}
