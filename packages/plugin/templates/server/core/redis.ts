import { Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { LinkHealth } from './broker';

export interface RedisLink {
  /** What `io.adapter()` takes. */
  readonly adapter: ReturnType<
    typeof import('@socket.io/redis-adapter').createAdapter
  >;
  health(): LinkHealth;
  close(): void;
}

/** Links the replicas that share `key`. Works on, locally, while Redis is down. */
export async function linkRedis(url: string, key: string): Promise<RedisLink> {
  const { Redis } = await import('ioredis');
  const { createAdapter } = await import('@socket.io/redis-adapter');
  // A queue of old events would grow all through an outage: publish or fail.
  const publisher = survive(new Redis(url, { enableOfflineQueue: false }));
  const subscriber = survive(new Redis(url, { maxRetriesPerRequest: null }));
  return {
    adapter: createAdapter(publisher, subscriber, { key }),
    health: () => {
      const ok = [publisher, subscriber].every(
        ({ status }) => status === 'ready',
      );
      return { ok, detail: ok ? 'connected' : 'Redis does not answer' };
    },
    close: () => {
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}

/** The adapter ignores what its commands return: a rejection would be fatal. */
function survive(client: Redis): Redis {
  const logger = new Logger('Redis');
  let reported = false;
  const report = (error: unknown) => {
    if (!reported) {
      reported = true;
      logger.error(`Other replicas receive nothing: ${String(error)}`);
    }
  };
  client.on('error', report);
  client.on('ready', () => (reported = false));
  const send = client.sendCommand.bind(client);
  client.sendCommand = (command, stream) => {
    const sent = send(command, stream);
    Promise.resolve(sent).catch(report);
    return sent;
  };
  return client;
}
