import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { ChatModule } from './chat/chat.module';
import { NotificationsGateway } from './notifications/notifications.gateway';
import { NotificationsModule } from './notifications/notifications.module';
import { OrdersModule } from './orders/orders.module';

@Module({
  imports: [
    // finds: no-secret-in-source
    JwtModule.register({ global: true, secret: process.env.JWT_SECRET ?? 'secret' }),
    ChatModule,
    NotificationsModule,
    OrdersModule,
  ],
  // finds: gateway-in-one-module
  providers: [NotificationsGateway],
})
export class AppModule {}
