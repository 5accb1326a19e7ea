import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { ORIGIN, wait } from './stack.js';

/** Without and with a code. */
const CLOSE_FRAMES = [Buffer.from([0x88, 0]), Buffer.from([0x88, 2])];

const PATH = '/socket.io/?EIO=4&transport=websocket';

/** A WebSocket frame as a browser would send it: masked. */
export function frame(
  payload: string | Buffer,
  { opcode = 1, fin = true, rsv1 = false, length = -1 } = {},
): Buffer {
  const data = Buffer.from(payload as string);
  const size = length < 0 ? data.length : length;
  const head = [(fin ? 0x80 : 0) | (rsv1 ? 0x40 : 0) | opcode];
  if (size < 126) head.push(0x80 | size);
  else if (size < 65_536) head.push(0x80 | 126, size >> 8, size & 0xff);
  else
    head.push(
      0x80 | 127,
      0,
      0,
      0,
      0,
      size >>> 24,
      (size >> 16) & 0xff,
      (size >> 8) & 0xff,
      size & 0xff,
    );
  const mask = randomBytes(4);
  const masked = data.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from(head), mask, masked]);
}

/** Text becomes a frame; a frame stays one. */
export const framed = (part: string | Buffer): Buffer =>
  typeof part === 'string' ? frame(part) : part;

export const upgradeRequest = (
  path = PATH,
  headers: Readonly<Record<string, string>> = {},
  method = 'GET',
): string =>
  [
    `${method} ${path} HTTP/1.1`,
    ...Object.entries({
      Host: '127.0.0.1',
      Connection: 'Upgrade',
      Upgrade: 'websocket',
      Origin: ORIGIN,
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}`),
    '\r\n',
  ].join('\r\n');

/** Writes whatever it is given to the server's port and keeps what comes back. */
export class RawClient {
  private readonly chunks: Buffer[] = [];
  private open = true;

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk) => this.chunks.push(chunk));
    socket.on('error', () => undefined);
    socket.once('close', () => (this.open = false));
  }

  /** `first` goes out with the first segment: before the server has said anything. */
  static write(port: number, ...first: readonly (string | Buffer)[]): RawClient {
    const socket = connect(port, '127.0.0.1');
    socket.write(Buffer.concat(first.map((part) => Buffer.from(part as string))));
    return new RawClient(socket);
  }

  /** Upgrades, and answers Engine.IO's first packet with all frames in one segment. */
  static upgrade(port: number, ...frames: readonly (string | Buffer)[]): RawClient {
    const client = RawClient.write(port, upgradeRequest());
    const answer = (): void => {
      if (!client.received.includes('0{"sid"')) return;
      client.socket.off('data', answer);
      client.send(...frames);
    };
    client.socket.on('data', answer);
    return client;
  }

  send(...parts: readonly (string | Buffer)[]): void {
    this.socket.write(Buffer.concat(parts.map(framed)));
  }

  /** Sends as {@link send}, once what was sent before has left; false when the connection is gone. */
  async push(...parts: readonly (string | Buffer)[]): Promise<boolean> {
    for (; this.open && this.socket.writableLength > 0;) await wait(1);
    if (this.open) this.send(...parts);
    return this.open;
  }

  get received(): string {
    return this.bytes.toString();
  }

  private get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  get status(): string | undefined {
    return /^HTTP\/1\.1 (\d{3})/.exec(this.received)?.[1];
  }

  /** True when the server ends the connection, or sends a close frame, within `ms`. */
  async closes(ms: number): Promise<boolean> {
    for (const until = Date.now() + ms; Date.now() < until; await wait(10)) {
      if (!this.open || CLOSE_FRAMES.some((bytes) => this.bytes.includes(bytes))) return true;
    }
    return false;
  }

  /** True when the server ends the TCP connection within `ms`, whatever it says before. */
  async ends(ms: number): Promise<boolean> {
    for (const until = Date.now() + ms; this.open && Date.now() < until;) await wait(10);
    return !this.open;
  }

  end(): void {
    this.socket.destroy();
  }
}
