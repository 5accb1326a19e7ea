import { WebSocketGateway } from '@nestjs/websockets';
import { NOTIFICATIONS_NAMESPACE } from '@acme-ts/realtime-contracts/notifications';

/** Only sends: the kernel authenticates its clients and joins their rooms. */
@WebSocketGateway({ namespace: NOTIFICATIONS_NAMESPACE })
export class NotificationsGateway {}
