import { Module } from '@nestjs/common';
import { ChatGateway } from './chat.gateway';
import { ChatService, PrismaService } from './chat.service';

@Module({ providers: [ChatGateway, ChatService, PrismaService] })
export class ChatModule {}
