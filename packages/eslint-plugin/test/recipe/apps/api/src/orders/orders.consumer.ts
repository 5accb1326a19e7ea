import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload, RmqContext } from '@nestjs/microservices';

@Controller()
export class OrdersConsumer {
  @EventPattern('order.created')
  async created(@Payload() order: { id: string }, @Ctx() context: RmqContext) {
    const channel = context.getChannelRef();
    const message = context.getMessage();
    await this.store(order.id);
    // finds: require-ack
    channel.ack(message);
  }

  @EventPattern('order.paid')
  async paid(@Payload() order: { id: string }, @Ctx() context: RmqContext) {
    const channel = context.getChannelRef();
    const message = context.getMessage();
    try {
      await this.store(order.id);
      channel.ack(message);
    } catch {
      // finds: no-requeue-on-error
      channel.nack(message);
    } finally {
      // finds: no-double-ack
      channel.ack(message);
    }
  }

  @EventPattern('order.cancelled')
  // finds: require-ack
  async cancelled(@Payload() order: { id: string }) {
    await this.store(order.id);
  }

  private store(id: string): Promise<string> {
    return Promise.resolve(id);
  }
}
