import { Module } from '@nestjs/common';
import { JwtModule } from '@nestjs/jwt';
import { InvoicesConsumer } from './invoices.consumer';
import { OrdersConsumer } from './orders.consumer';
import { OrdersGateway } from './orders.gateway';
import { OrdersService } from './orders.service';

@Module({
  imports: [JwtModule.register({ secret: process.env.JWT_SECRET })],
  controllers: [InvoicesConsumer],
  // finds: consumer-in-controllers
  providers: [OrdersConsumer, OrdersGateway, OrdersService],
})
export class AppModule {}
