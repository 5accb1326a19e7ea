import { Inject, Injectable } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { REALTIME_OPTIONS, type RealtimeCoreOptions } from '../config/options';
import {
  type RequestContext,
  type RequestContextRunner,
  RequestContextService,
} from './request-context';

/** Runs events in the context service that the app has chosen. */
@Injectable()
export class EventContext implements RequestContextRunner {
  private known: RequestContextRunner | undefined;

  constructor(
    @Inject(ModuleRef) private readonly modules: ModuleRef,
    @Inject(REALTIME_OPTIONS) private readonly options: RealtimeCoreOptions,
  ) {}

  run<T>(context: RequestContext, work: () => T): T {
    // Not earlier: the host's modules are complete at the first event.
    this.known ??= this.find();
    return this.known.run(context, work);
  }

  private find(): RequestContextRunner {
    const { requestContext = RequestContextService } = this.options;
    return this.modules.get<RequestContextRunner>(requestContext, {
      strict: false,
    });
  }
}
