import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload, RmqContext } from '@nestjs/microservices';
import { OrdersGateway } from './orders.gateway';
import type { Order } from './orders.service';

@Controller()
export class OrdersConsumer {
  constructor(private readonly gateway: OrdersGateway) {}

  @EventPattern('order.placed')
  placed(@Payload() order: Order, @Ctx() context: RmqContext) {
    const channel = context.getChannelRef();
    const message = context.getMessage();
    try {
      this.gateway.placed(order);
      channel.ack(message);
    } catch {
      channel.nack(message, false, false);
    }
  }
}
