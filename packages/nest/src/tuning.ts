/*
 * Joins several writes into one. Nothing here changes what is sent.
 */
import type { Adapter } from 'socket.io-adapter';
import type { Connection, RealtimeServer } from './connections/socket';
import { wrapEncoder } from './private-doors';

/**
 * Makes an adapter send a broadcast to each socket in one write. Socket.IO
 * builds the websocket frame once for all of them, but leaves its header and
 * its payload apart, which are two writes. Where it does otherwise, nothing
 * changes.
 */
export function joinFrames(adapter: Adapter): void {
  wrapEncoder(adapter, (encode) => (packet, options) => {
    const encoded = encode(packet, options);
    const parts = options.wsPreEncodedFrame;
    if (Array.isArray(parts) && parts.every(Buffer.isBuffer)) {
      options.wsPreEncodedFrame = [Buffer.concat(parts)];
    }
    return encoded;
  });
}

/**
 * Sends in one write what has gathered for a client: packets, and the answer to
 * its upgrade with the first of them. `allowRequest` has to cork the socket of
 * each upgrade that it lets in.
 */
export function joinWrites(engine: RealtimeServer['engine']): void {
  engine.on('flush', ({ request }: Connection, packets: unknown[]) => {
    if (packets.length > 1) {
      request.socket.cork();
    }
  });
  engine.on('drain', ({ request }: Connection) => request.socket.uncork());
}
