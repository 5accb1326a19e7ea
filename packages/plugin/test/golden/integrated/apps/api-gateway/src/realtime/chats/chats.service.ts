import { Injectable } from '@nestjs/common';
import type { RealtimeIdentity } from '@nx-realtime/nest';
import type { ChatSay, ChatLeave } from '@acme/realtime-contracts/chats';

/**
 * Business logic of client events. What a method returns is acknowledged as
 * data; to refuse, throw a RealtimeException.
 */
@Injectable()
export class ChatsService {
  async say(payload: ChatSay, identity: RealtimeIdentity): Promise<void> {
    // In place of this line: what the event does.
    void [payload, identity];
  }

  async leave(payload: ChatLeave, identity: RealtimeIdentity): Promise<void> {
    // In place of this line: what the event does.
    void [payload, identity];
  }
}
