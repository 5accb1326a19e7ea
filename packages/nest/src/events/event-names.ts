import { Inject, Injectable, type Type } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { eventSourceOf } from '../broker/broker-event';
import { eventsOf, isGateway, methodsOf } from '../private-doors';

/** Events that the kernel itself handles. */
const KERNEL_EVENTS = ['realtime.refresh'];

/** The names of events that the app has code for: no client can add to them. */
@Injectable()
export class EventNames {
  private names: ReadonlySet<string> | undefined;

  constructor(
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
  ) {}

  has(name: string): boolean {
    this.names ??= new Set(this.find());
    return this.names.has(name);
  }

  private find(): string[] {
    const modules = [...this.modules.values()];
    const gateways = modules
      .flatMap(({ providers }) => [...providers.values()])
      .map(({ metatype }) => metatype)
      .filter(isGateway);
    const consumers = modules
      .flatMap(({ controllers }) => [...controllers.values()])
      .flatMap(({ metatype }) => (metatype ? methodsOf(metatype as Type) : []))
      .map((method) => eventSourceOf(method)?.event)
      .filter((event) => event !== undefined);
    return [...KERNEL_EVENTS, ...gateways.flatMap(eventsOf), ...consumers];
  }
}
