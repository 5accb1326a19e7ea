import type { Adapter } from 'socket.io-adapter';

interface PacketOptions {
  wsPreEncodedFrame?: unknown;
}

type Encode = (packet: unknown, options: PacketOptions) => unknown;

/**
 * Has an adapter send a broadcast to each socket in one write. Socket.IO builds
 * the websocket frame once for all of them, but leaves its header and its
 * payload apart, which are two writes. Where it does otherwise, nothing changes.
 */
export function joinFrames(adapter: Adapter): void {
  const encode: unknown = Reflect.get(adapter, '_encode');
  if (typeof encode !== 'function') {
    return;
  }
  const joined: Encode = (packet, options) => {
    const encoded: unknown = encode.call(adapter, packet, options);
    const parts = options.wsPreEncodedFrame;
    if (Array.isArray(parts) && parts.every(Buffer.isBuffer)) {
      options.wsPreEncodedFrame = [Buffer.concat(parts)];
    }
    return encoded;
  };
  Reflect.set(adapter, '_encode', joined);
}
