import { posix } from 'node:path';
import {
  type BeforeApplicationShutdown,
  HttpStatus,
  Inject,
  Injectable,
  Logger,
  RequestMethod,
  type Type,
} from '@nestjs/common';
import {
  ApplicationConfig,
  HttpAdapterHost,
  ModulesContainer,
} from '@nestjs/core';
import { RealtimeBroker } from '../broker/broker';
import {
  REALTIME_CONFIG,
  type RealtimeConfig,
} from '../config/realtime.config';
import { ConnectionRegistry } from '../connections/connection-registry';
import { methodsOf, pathsAt, requestMethodOf } from '../private-doors';
import { Replicas } from '../replicas/replicas';
import { RealtimeShutdown } from './shutdown';

/** State of one part, as @nestjs/terminus writes it. */
export type RealtimeHealthResult = Record<
  string,
  { readonly status: 'up' | 'down' } & Record<string, 'up' | 'down'>
>;

/**
 * Numbers of the HTTP methods that answer GET, in the metadata of a handler.
 */
const ANSWERS_GET: unknown[] = [RequestMethod.GET, RequestMethod.ALL];

/**
 * Tells whether this replica lives, and whether clients should be sent to it:
 * at `/health/live` and `/health/ready`, or in a health check of your own.
 *
 * @example
 * ```ts
 * @Get()
 * check() {
 *   return this.checks.check([() => this.realtime.isReady()]); // @nestjs/terminus
 * }
 * ```
 */
@Injectable()
export class RealtimeHealth implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Health');
  private reported = '';
  private isEnding = false;

  constructor(
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
    @Inject(RealtimeBroker) private readonly broker: RealtimeBroker,
    @Inject(ConnectionRegistry) private readonly registry: ConnectionRegistry,
    @Inject(Replicas) private readonly replicas: Replicas,
    @Inject(RealtimeShutdown) private readonly shutdown: RealtimeShutdown,
    @Inject(HttpAdapterHost) private readonly http: HttpAdapterHost,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    @Inject(ApplicationConfig) private readonly routes: ApplicationConfig,
  ) {}

  /** Called by Nest. */
  beforeApplicationShutdown(): void {
    this.isEnding = true;
  }

  /**
   * Called by setupRealtime. Answers beside the routes of the app: no global
   * prefix, version, guard or interceptor applies. A path that the app has
   * itself is left to it.
   */
  serve(): void {
    const own = this.ownRoutes();
    const routes: Record<string, () => RealtimeHealthResult> = {
      '/health/live': () => ({}),
      '/health/ready': () => this.isReady(),
    };
    for (const [path, check] of Object.entries(routes)) {
      if (own.has(path)) {
        this.logger.warn(
          `${path} is the app's own: let it check RealtimeHealth.isReady()`,
        );
      } else {
        this.http.httpAdapter.get(
          path,
          (_request: unknown, response: unknown) =>
            this.answer(response, check()),
        );
      }
    }
  }

  /**
   * State of this replica, in the form that `check` of @nestjs/terminus takes.
   *
   * @param key name of the result
   */
  isReady(key = 'realtime'): RealtimeHealthResult {
    const broker = this.broker.health();
    const replicas = this.replicas.health();
    const parts = {
      gateways: stateOf(this.registry.isServing),
      broker: stateOf(broker.ok),
      // A replica that has a queue of its own delivers without the others.
      replicas: stateOf(replicas.ok || this.config.topology === 'replica'),
      shutdown: stateOf(!this.shutdown.isDraining),
    };
    const isUp = Object.values(parts).every((state) => state === 'up');
    // Addresses and errors are for the log: anyone may ask for the health.
    this.log(
      isUp
        ? ''
        : `broker: ${broker.detail}, replicas: ${replicas.detail}${this.registry.isServing ? '' : ', gateways: their server does not listen'}`,
    );
    return { [key]: { status: stateOf(isUp), ...parts } };
  }

  /** Answers as @nestjs/terminus does, whose form monitors know. */
  private answer(response: unknown, details: RealtimeHealthResult): void {
    const { httpAdapter } = this.http;
    const parts = Object.entries(details);
    const only = (wanted: 'up' | 'down') =>
      Object.fromEntries(parts.filter(([, { status }]) => status === wanted));
    const error = only('down');
    const isUp = !this.isEnding && Object.keys(error).length === 0;
    const status = this.isEnding ? 'shutting_down' : isUp ? 'ok' : 'error';
    httpAdapter.setHeader(response, 'Cache-Control', 'no-store');
    httpAdapter.reply(
      response,
      { status, info: only('up'), error, details },
      isUp ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE,
    );
  }

  /**
   * Paths of GET that controllers answer; below a global prefix there is no
   * clash.
   */
  private ownRoutes(): Set<string> {
    const { exclude = [] } = this.routes.getGlobalPrefixOptions();
    if (this.routes.getGlobalPrefix() && exclude.length === 0) {
      return new Set();
    }
    const paths = [...this.modules.values()]
      .flatMap(({ controllers }) => [...controllers.values()])
      .flatMap(({ metatype }) => (metatype ? pathsOf(metatype as Type) : []));
    return new Set(paths);
  }

  private log(problem: string): void {
    if (problem !== this.reported) {
      this.reported = problem;
      this.logger.log(problem ? `Not ready: ${problem}` : 'Ready');
    }
  }
}

function stateOf(isUp: boolean): 'up' | 'down' {
  return isUp ? 'up' : 'down';
}

/** Paths at which a controller answers to GET. */
function pathsOf(controller: Type): string[] {
  const handlers = methodsOf(controller).filter((method) =>
    ANSWERS_GET.includes(requestMethodOf(method)),
  );
  return pathsAt(controller).flatMap((base) =>
    handlers.flatMap(pathsAt).map((path) => posix.join('/', base, path)),
  );
}
