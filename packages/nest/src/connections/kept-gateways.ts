import { type INestApplication, Logger, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { gatewayOptionsOf, isGateway, markGateway } from '../private-doors';

/** Path of Socket.IO where a gateway names none. */
const DEFAULT_PATH = '/socket.io';

/**
 * Gateways of the app that stay as they were, without any of our protections:
 * each has the Socket.IO server that it asks for, apart from ours.
 */
export class KeptGateways {
  private readonly kept: ReadonlySet<unknown>;

  /**
   * @param path of our Socket.IO server
   * @throws Error where one of them would share our server
   */
  constructor(app: INestApplication, gateways: readonly Type[], path: string) {
    this.kept = new Set(gateways);
    if (gateways.length === 0) {
      return;
    }
    const clash = gateways.find((gateway) => overlaps(gateway, path));
    if (clash) {
      throw new Error(
        `keepGateways: ${clash.name} is on the port of the app and on the path of ours, ${path}. Set REALTIME_PATH to another one, such as /realtime, and path of createRealtime() to the same`,
      );
    }
    for (const { providers } of app.get(ModulesContainer).values()) {
      for (const { metatype } of providers.values()) {
        if (isGateway(metatype)) {
          // Nest gives gateways of one port and path one server.
          markGateway(
            metatype,
            this.kept.has(metatype) ? { mark: this } : { path },
          );
        }
      }
    }
    new Logger('Realtime').warn(
      `Not protected, by keepGateways: ${gateways.map(({ name }) => name).join(', ')}. No token, tenant, limit or origin is asked of their clients`,
    );
  }

  has(gateway: unknown): boolean {
    return this.kept.has(gateway);
  }

  /** True where one is on the port of the app, beside our server. */
  get areBesideOurs(): boolean {
    return [...this.kept].some(
      (gateway) => gatewayOptionsOf(gateway as Type)['port'] === undefined,
    );
  }
}

function overlaps(gateway: Type, path: string): boolean {
  const { port, path: own = DEFAULT_PATH } = gatewayOptionsOf(gateway);
  const [a, b] = [`${String(own)}/`, `${path}/`].map((each) =>
    each.replace(/\/+$/, '/'),
  ) as [string, string];
  // Engine.IO takes every request whose path begins so.
  return port === undefined && (a.startsWith(b) || b.startsWith(a));
}
