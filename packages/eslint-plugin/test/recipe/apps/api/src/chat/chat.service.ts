import { Injectable } from '@nestjs/common';

export interface Message {
  readonly room: string;
  readonly text: string;
  readonly tenantId: string;
}

@Injectable()
export class ChatService {
  private readonly messages: Message[] = [];

  save(message: Message): Promise<Message> {
    this.messages.push(message);
    return Promise.resolve(message);
  }

  remove(messageId: string, authorId: string): Promise<{ messageId: string; authorId: string }> {
    return Promise.resolve({ messageId, authorId });
  }

  rulesOf(room: string): { room: string; rules: string[] } {
    return { room, rules: ['Be kind.'] };
  }
}

/** Stands for the client that an ORM generates. */
@Injectable()
export class PrismaService {
  readonly message = {
    count: (query: { where: { tenantId: string } }): Promise<number> =>
      Promise.resolve(query.where.tenantId.length),
  };
}
