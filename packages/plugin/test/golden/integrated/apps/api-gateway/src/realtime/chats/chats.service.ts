import { Injectable, Logger } from '@nestjs/common';
import type { ChatSay, ChatLeave } from '@acme/realtime-contracts/chats';
import type { RealtimeIdentity } from '../core/token-verifier';

/**
 * Business logic of client events. What a method returns is acknowledged as
 * data; to refuse, throw a RealtimeException.
 */
@Injectable()
export class ChatsService {
  private readonly logger = new Logger(ChatsService.name);

  async say(
    payload: ChatSay,
    { tenantId, userId }: RealtimeIdentity,
  ): Promise<void> {
    const fields = Object.keys(payload).join(', ');
    this.logger.debug(`chat.say { ${fields} } by ${userId} of ${tenantId}`);
  }

  async leave(
    payload: ChatLeave,
    { tenantId, userId }: RealtimeIdentity,
  ): Promise<void> {
    const fields = Object.keys(payload).join(', ');
    this.logger.debug(`chat.leave { ${fields} } by ${userId} of ${tenantId}`);
  }
}
