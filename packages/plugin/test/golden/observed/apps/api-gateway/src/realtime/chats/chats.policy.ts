import { Injectable, Logger } from '@nestjs/common';
import type { RealtimeIdentity, ResourcePolicy } from '@nx-realtime/nest';

/**
 * Who may subscribe to which resource: nobody, until you decide. Where access
 * can be lost, call Subscriptions.withdraw() when it is.
 */
@Injectable()
export class ChatsPolicy implements ResourcePolicy {
  private readonly logger = new Logger(ChatsPolicy.name);

  async canSubscribe(
    { tenantId, userId }: RealtimeIdentity,
    resourceId: string,
  ): Promise<boolean> {
    this.logger.debug(`Denied: ${resourceId} to ${userId} of ${tenantId}`);
    return false;
  }
}
