import { Injectable } from '@nestjs/common';
import type { RealtimeIdentity } from '@nx-realtime/nest';
import type { NotificationMarkRead } from '@acme/realtime-contracts/notifications';

/**
 * Business logic of client events. What a method returns is acknowledged as
 * data; to refuse, throw a RealtimeException.
 */
@Injectable()
export class NotificationsService {
  async markRead(
    payload: NotificationMarkRead,
    identity: RealtimeIdentity,
  ): Promise<void> {
    // In place of this line: what the event does.
    void [payload, identity];
  }
}
