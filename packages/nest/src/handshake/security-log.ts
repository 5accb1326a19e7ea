import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { LogLine } from '../observability/log-line';
import {
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import type { RealtimeIdentity } from './identity';

const WINDOW_MS = 1_000;
const MAX_LINES = 20;
/** Of a reason, which an owner's own error may say. */
const MAX_REASON = 600;
/** The others are kept for events that have an identity. */
const MAX_ANONYMOUS_LINES = 10;

/**
 * Log of refusals. In each second the first event of a kind from a source is
 * written and the others are counted: no attacker fills the log, or hides
 * another one in it.
 */
@Injectable()
export class SecurityLog {
  private readonly logger = new Logger('Security');
  private readonly written = new Set<string>();
  /** How many of them have no identity. */
  private anonymous = 0;
  private suppressed = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
  ) {}

  /**
   * Writes a refusal. It takes no token and no body: what is not given is not
   * written.
   *
   * @param why what the owner of the app is to know, and a client is not
   */
  report(
    event: string,
    code: string,
    request: IncomingMessage,
    identity?: RealtimeIdentity,
    why?: string,
  ): void {
    this.timer ??= setTimeout(() => this.roll(), WINDOW_MS).unref();
    const address = clientAddress(request, this.config.trustedProxies);
    const { userId, tenantId } = identity ?? {};
    const reason = why?.slice(0, MAX_REASON);
    const key = JSON.stringify([
      event,
      code,
      reason,
      address,
      userId,
      tenantId,
    ]);
    const isFull = identity
      ? this.written.size >= MAX_LINES
      : this.anonymous >= MAX_ANONYMOUS_LINES;
    if (isFull || this.written.has(key)) {
      this.suppressed += 1;
      return;
    }
    this.written.add(key);
    this.anonymous += identity ? 0 : 1;
    const origin = request.headers.origin?.slice(0, 200);
    const details = { code, reason, userId, tenantId, address, origin };
    this.logger.warn(new LogLine(event, details));
  }

  private roll(): void {
    if (this.suppressed > 0) {
      this.logger.warn(`${this.suppressed} more in the last second`);
    }
    this.written.clear();
    this.anonymous = 0;
    this.suppressed = 0;
    this.timer = undefined;
  }
}

/**
 * Address of a client behind the app's own proxies, each of which appends the
 * address that it saw. All that stands left of those is the client's own word.
 */
export function clientAddress(
  { headers, socket }: IncomingMessage,
  trustedProxies: number,
): string {
  let address = socket.remoteAddress ?? 'unknown';
  if (trustedProxies > 0) {
    const forwarded = [headers['x-forwarded-for'] ?? []].flat().join(',');
    const [claimed = ''] = forwarded.split(',').slice(-trustedProxies);
    const read = readAddress(claimed.trim());
    if (read === undefined) {
      warnOfForwarded(claimed.trim());
    }
    address = read ?? address;
  }
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
}

/** Proxies write `198.51.100.1`, `198.51.100.1:5100` and `[2001:db8::1]:443`. */
function readAddress(text: string): string | undefined {
  const [, bracketed] = /^\[(.*)\](?::\d+)?$/.exec(text) ?? [];
  const [, v4] = /^([\d.]+):\d+$/.exec(text) ?? [];
  return [text, bracketed, v4].find((form) => form && isIP(form));
}

let isWarned = false;

function warnOfForwarded(value: string): void {
  if (!isWarned) {
    isWarned = true;
    const said =
      value === '' ? 'no address' : JSON.stringify(value.slice(0, 100));
    new Logger('Security').warn(
      `X-Forwarded-For has ${said} where REALTIME_TRUST_PROXY expects a client's address: clients behind that proxy share its limits`,
    );
  }
}

/** Block of addresses that one client can have: a whole /64 of IPv6. */
export function addressBlock(address: string): string {
  if (!address.includes(':')) {
    return address;
  }
  const [left = [], right = []] = address
    .split('::')
    .map((part) => part.split(':').filter(Boolean));
  const zeros = Math.max(0, 8 - left.length - right.length);
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right];
  return `${groups.slice(0, 4).join(':')}::/64`;
}
