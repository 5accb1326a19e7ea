import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, Payload, RmqContext } from '@nestjs/microservices';

@Controller()
export class InvoicesConsumer {
  @EventPattern('invoice.created')
  async created(@Payload() invoice: { id: string }, @Ctx() context: RmqContext) {
    const channel = context.getChannelRef();
    const message = context.getMessage();
    try {
      channel.ack(message);
      // finds: no-double-ack
      await this.mail(invoice.id);
    } catch {
      channel.nack(message, false, false);
    }
  }

  private mail(id: string): Promise<string> {
    return Promise.resolve(id);
  }
}
