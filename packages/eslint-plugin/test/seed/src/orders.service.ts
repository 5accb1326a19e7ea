import { Injectable } from '@nestjs/common';

export interface Order {
  readonly id: string;
  readonly tenantId: string;
}

@Injectable()
export class OrdersService {
  async store({ id }: Order): Promise<void> {
    if (id.startsWith('poison')) throw new Error('This order cannot be stored');
  }
}
