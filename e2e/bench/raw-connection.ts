import { connect, type Socket } from 'node:net';

/** What a server speaks: Socket.IO on a namespace, or plain text frames of JSON. */
export type Protocol = 'socket.io' | 'ws';

export interface ConnectOptions {
  readonly port: number;
  readonly protocol: Protocol;
  readonly namespace: string;
  readonly token: string;
}

export interface Listener {
  /** The frame of one event: `payload` is only valid until it returns. */
  onEvent(payload: Buffer): void;
  onAck?(payload: Buffer): void;
  onClose?(): void;
}

const ZERO_MASK = Buffer.alloc(4);
const TIMEOUT_MS = 30_000;
const [TEXT, CLOSE, PING] = [0x1, 0x8, 0x9];
const [DIGIT_0, DIGIT_2, DIGIT_3, DIGIT_4] = [48, 50, 51, 52];

/**
 * A websocket client that only counts: RFC 6455 framing straight on TCP, Socket.IO packets told apart by their
 * first two bytes, nothing parsed. It costs a fraction of what a server spends on the same frame.
 */
export class RawConnection {
  /** Frames of events that arrived. */
  events = 0;
  private rest: Buffer | undefined;
  private upgraded = false;
  private ready: (() => void) | undefined;
  private failed: ((error: Error) => void) | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly options: ConnectOptions,
    private readonly listener: Listener,
  ) {}

  /** Resolves when the server has accepted the token; rejects on a refusal and after 30 s. */
  static open(options: ConnectOptions, listener: Listener): Promise<RawConnection> {
    const socket = connect({ port: options.port, host: '127.0.0.1', noDelay: true });
    const connection = new RawConnection(socket, options, listener);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => connection.fail('no answer'), TIMEOUT_MS);
      connection.ready = () => {
        clearTimeout(timer);
        connection.failed = undefined;
        resolve(connection);
      };
      connection.failed = (error) => {
        clearTimeout(timer);
        socket.destroy();
        reject(error);
      };
      socket.on('connect', () => connection.upgrade());
      socket.on('data', (chunk) => connection.read(chunk));
      socket.on('error', (error) => connection.fail(error.message));
      socket.on('close', () => {
        connection.fail('closed');
        listener.onClose?.();
      });
    });
  }

  /** Sends one text frame. */
  send(text: string): void {
    const payload = Buffer.from(text);
    const { length } = payload;
    const header =
      length < 126
        ? Buffer.from([0x81, 0x80 | length])
        : Buffer.from([0x81, 0x80 | 126, length >> 8, length & 0xff]);
    // A mask of zeros leaves the payload as it is.
    this.socket.write(Buffer.concat([header, ZERO_MASK, payload]));
  }

  /** Stops reading: what a reader does that is too slow. */
  pause(): void {
    this.socket.pause();
  }

  close(): void {
    this.socket.destroy();
  }

  private fail(reason: string): void {
    this.failed?.(new Error(`127.0.0.1:${this.options.port}: ${reason}`));
    this.failed = undefined;
  }

  private upgrade(): void {
    const { protocol } = this.options;
    const path = protocol === 'socket.io' ? '/socket.io/?EIO=4&transport=websocket' : '/';
    this.socket.write(
      [
        `GET ${path} HTTP/1.1`,
        'Host: 127.0.0.1',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        '',
        '',
      ].join('\r\n'),
    );
  }

  private read(chunk: Buffer): void {
    let data = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
    this.rest = undefined;
    if (!this.upgraded) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) {
        this.rest = data;
        return;
      }
      if (!data.subarray(0, 12).toString().endsWith('101')) {
        this.fail(data.subarray(0, 40).toString());
        return;
      }
      this.upgraded = true;
      if (this.options.protocol === 'ws') this.send(JSON.stringify({ token: this.options.token }));
      data = data.subarray(end + 4);
    }
    let offset = 0;
    while (offset + 2 <= data.length) {
      const opcode = (data[offset] as number) & 0x0f;
      let length = (data[offset + 1] as number) & 0x7f;
      let start = offset + 2;
      if (length === 126) {
        if (start + 2 > data.length) break;
        length = data.readUInt16BE(start);
        start += 2;
      } else if (length === 127) {
        if (start + 8 > data.length) break;
        length = Number(data.readBigUInt64BE(start));
        start += 8;
      }
      if (start + length > data.length) break;
      if (opcode === TEXT) this.onText(data, start, start + length);
      else if (opcode === CLOSE) this.socket.destroy();
      else if (opcode === PING) this.socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));
      offset = start + length;
    }
    if (offset < data.length) this.rest = data.subarray(offset);
  }

  private onText(data: Buffer, start: number, end: number): void {
    const first = data[start];
    const second = data[start + 1];
    if (this.options.protocol === 'ws') {
      if (this.ready) this.accepted();
      else if (first === DIGIT_3) this.listener.onAck?.(data.subarray(start, end));
      else {
        this.events += 1;
        this.listener.onEvent(data.subarray(start, end));
      }
    } else if (first === DIGIT_4 && second === DIGIT_2) {
      this.events += 1;
      this.listener.onEvent(data.subarray(start, end));
    } else if (first === DIGIT_4 && second === DIGIT_3) {
      this.listener.onAck?.(data.subarray(start, end));
    } else if (first === DIGIT_2) {
      this.send('3');
    } else if (first === DIGIT_0) {
      const { namespace, token } = this.options;
      this.send(`40${namespace},${JSON.stringify({ token })}`);
    } else if (first === DIGIT_4 && second === DIGIT_0) {
      this.accepted();
    } else if (first === DIGIT_4 && second === DIGIT_4) {
      this.fail(data.subarray(start, end).toString());
    }
  }

  private accepted(): void {
    this.ready?.();
    this.ready = undefined;
  }
}
