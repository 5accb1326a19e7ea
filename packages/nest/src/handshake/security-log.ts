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

/**
 * Log of refusals. In each second the first event of a kind from a source is
 * written and the others are counted: no attacker fills the log, or hides
 * another one in it.
 */
@Injectable()
export class SecurityLog {
  private readonly logger = new Logger('Security');
  private readonly written = new Set<string>();
  private suppressed = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
  ) {}

  /**
   * Writes a refusal. It takes no token and no body: what is not given is not
   * written.
   */
  report(
    event: string,
    code: string,
    request: IncomingMessage,
    identity?: RealtimeIdentity,
  ): void {
    this.timer ??= setTimeout(() => this.roll(), WINDOW_MS).unref();
    const address = clientAddress(request, this.config.trustedProxies);
    const { userId, tenantId } = identity ?? {};
    const key = JSON.stringify([event, code, address, userId, tenantId]);
    if (this.written.size >= MAX_LINES || this.written.has(key)) {
      this.suppressed += 1;
      return;
    }
    this.written.add(key);
    const origin = request.headers.origin?.slice(0, 200);
    const details = { code, userId, tenantId, address, origin };
    this.logger.warn(new LogLine(event, details));
  }

  private roll(): void {
    if (this.suppressed > 0) {
      this.logger.warn(`${this.suppressed} more in the last second`);
    }
    this.written.clear();
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
    address = isIP(claimed.trim()) ? claimed.trim() : address;
  }
  return address.replace(/^::ffff:(?=\d+\.)/i, '');
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
