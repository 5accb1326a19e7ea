import { Module } from '@nestjs/common';
import { InvoicesConsumer } from './invoices.consumer';
import { OrdersConsumer } from './orders.consumer';

@Module({
  controllers: [InvoicesConsumer],
  // finds: consumer-in-controllers
  providers: [OrdersConsumer],
})
export class OrdersModule {}
