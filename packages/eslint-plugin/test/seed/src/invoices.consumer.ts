import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload, RmqContext } from '@nestjs/microservices';
import { OrdersGateway } from './orders.gateway';
import { OrdersService } from './orders.service';
import type { Order } from './orders.service';

@Controller()
export class InvoicesConsumer {
  constructor(
    private readonly gateway: OrdersGateway,
    private readonly orders: OrdersService,
  ) {}

  @EventPattern('invoice.created')
  async created(@Payload() order: Order, @Ctx() context: RmqContext) {
    await this.orders.store(order);
    this.gateway.invoiced(order);
    // finds: require-ack
    context.getChannelRef().ack(context.getMessage());
  }
}
