import { Injectable, Logger } from '@nestjs/common';
import type { NotificationMarkRead } from '@acme/realtime-contracts/notifications';
import type { RealtimeIdentity } from '../core/token-verifier';

/**
 * Business logic of client events. What a method returns is acknowledged as
 * data; to refuse, throw a RealtimeException.
 */
@Injectable()
export class NotificationsService {
  private readonly logger = new Logger(NotificationsService.name);

  async markRead(
    payload: NotificationMarkRead,
    { tenantId, userId }: RealtimeIdentity,
  ): Promise<void> {
    const fields = Object.keys(payload).join(', ');
    this.logger.debug(
      `notification.markRead { ${fields} } by ${userId} of ${tenantId}`,
    );
  }
}
