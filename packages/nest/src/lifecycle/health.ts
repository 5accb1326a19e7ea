import { posix } from 'node:path';
import {
  HttpException,
  HttpStatus,
  Inject,
  Injectable,
  Logger,
  RequestMethod,
} from '@nestjs/common';
import {
  ApplicationConfig,
  HttpAdapterHost,
  MetadataScanner,
  ModulesContainer,
} from '@nestjs/core';
import {
  HealthCheckService,
  type HealthIndicatorFunction,
  type HealthIndicatorResult,
  HealthIndicatorService,
} from '@nestjs/terminus';
import { RealtimeBroker } from '../broker/broker';
import { ConnectionLimits } from '../connections/connection-limits';
import { REALTIME_CONFIG, type RealtimeConfig } from '../config/realtime.config';
import { Replicas } from '../replicas/replicas';
import { RealtimeShutdown } from './shutdown';

/** As HTTP methods are numbered in the metadata of a handler. */
const ANSWERS_GET: unknown[] = [RequestMethod.GET, RequestMethod.ALL];

/** Whether this replica lives, and whether clients should be sent to it. */
@Injectable()
export class RealtimeHealth {
  private readonly logger = new Logger('Health');
  private reported = '';

  constructor(
    @Inject(REALTIME_CONFIG) private readonly config: RealtimeConfig,
    @Inject(RealtimeBroker) private readonly broker: RealtimeBroker,
    private readonly limits: ConnectionLimits,
    private readonly replicas: Replicas,
    private readonly shutdown: RealtimeShutdown,
    private readonly checks: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly http: HttpAdapterHost,
    private readonly modules: ModulesContainer,
    private readonly routes: ApplicationConfig,
  ) {}

  /**
   * Answers beside the routes of the app: no global prefix, version, guard or
   * interceptor applies. A path that the app has itself is left to it.
   */
  serve(): void {
    const own = this.ownRoutes();
    const routes: Record<string, HealthIndicatorFunction[]> = {
      '/health/live': [],
      '/health/ready': [() => this.isReady()],
    };
    for (const [path, checks] of Object.entries(routes)) {
      if (own.has(path)) {
        this.logger.warn(
          `${path} is the app's own: let it check RealtimeHealth.isReady()`,
        );
      } else {
        this.http.httpAdapter.get(
          path,
          (_request: unknown, response: unknown) =>
            void this.answer(response, checks),
        );
      }
    }
  }

  /** Also for a health check of your own: `check([() => health.isReady()])`. */
  isReady(key = 'realtime'): HealthIndicatorResult {
    const broker = this.broker.health();
    const replicas = this.replicas.health();
    const parts = {
      gateways: stateOf(this.limits.isServing),
      broker: stateOf(broker.ok),
      // With a queue of its own a replica delivers without the others.
      replicas: stateOf(replicas.ok || this.config.topology === 'replica'),
      shutdown: stateOf(!this.shutdown.isDraining),
    };
    const isUp = Object.values(parts).every((state) => state === 'up');
    // Addresses and errors are for the log: anyone may ask for the health.
    this.log(
      isUp ? '' : `broker: ${broker.detail}, replicas: ${replicas.detail}`,
    );
    const indicator = this.indicators.check(key);
    return isUp ? indicator.up(parts) : indicator.down(parts);
  }

  private async answer(
    response: unknown,
    checks: HealthIndicatorFunction[],
  ): Promise<void> {
    const { httpAdapter } = this.http;
    httpAdapter.setHeader(response, 'Cache-Control', 'no-store');
    try {
      const result = await this.checks.check(checks);
      httpAdapter.reply(response, result, HttpStatus.OK);
    } catch (error) {
      const result =
        error instanceof HttpException
          ? error.getResponse()
          : { status: 'error' };
      httpAdapter.reply(response, result, HttpStatus.SERVICE_UNAVAILABLE);
    }
  }

  /** What controllers answer to GET; below a global prefix there is no clash. */
  private ownRoutes(): Set<string> {
    const { exclude = [] } = this.routes.getGlobalPrefixOptions();
    if (this.routes.getGlobalPrefix() && exclude.length === 0) {
      return new Set();
    }
    const paths = [...this.modules.values()]
      .flatMap(({ controllers }) => [...controllers.values()])
      .flatMap(({ metatype }) => pathsOf(Object(metatype)));
    return new Set(paths);
  }

  private log(problem: string): void {
    if (problem !== this.reported) {
      this.reported = problem;
      this.logger.log(problem ? `Not ready: ${problem}` : 'Ready');
    }
  }
}

const stateOf = (isUp: boolean) => (isUp ? 'up' : 'down');

/** Where a controller answers to GET. */
function pathsOf(controller: object): string[] {
  const prototype: object = Reflect.get(controller, 'prototype');
  const handlers = new MetadataScanner()
    .getAllMethodNames(prototype)
    .map((name): object => Reflect.get(prototype, name))
    .filter((handler) =>
      ANSWERS_GET.includes(Reflect.getMetadata('method', handler)),
    );
  return pathsAt(controller).flatMap((base) =>
    handlers.flatMap(pathsAt).map((path) => posix.join('/', base, path)),
  );
}

function pathsAt(target: object): string[] {
  return [Reflect.getMetadata('path', target) ?? []].flat();
}
