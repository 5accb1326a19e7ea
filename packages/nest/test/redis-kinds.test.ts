import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { Logger } from '@nestjs/common';
import { ReplicaStream } from '../src/replicas/redis';
import { freePorts, startOwnRedis } from './support/brokers.js';
import { makeCertificate } from './support/certificate.js';
import { buildReplica, startReplica } from './support/replica.js';
import { Stack } from './support/stack.js';

const folder = mkdtempSync(join(tmpdir(), 'redis-kinds-'));
const ends: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const cli = (port: number, ...args: string[]): string =>
  execFileSync('redis-cli', ['-p', String(port), ...args], { encoding: 'utf8' });
const portOf = (url: string): number => Number(new URL(url).port);

async function startCluster(): Promise<{ url: string; port: number }> {
  const [busPort = 0] = await freePorts();
  const redis = await startOwnRedis({
    more: () => ({ 'cluster-enabled': 'yes', 'cluster-port': busPort }),
  });
  ends.push(() => redis.stop());
  return { url: redis.url, port: portOf(redis.url) };
}

describe('REDIS_URL', () => {
  it('of a Redis Cluster is refused at boot', async () => {
    const { url, port } = await startCluster();
    const boot = () => Stack.start({ env: { REDIS_URL: url } });
    await expect(boot()).rejects.toThrow(/Redis Cluster, which is not supported/);
    cli(port, 'cluster', 'addslotsrange', '0', '16383');
    await expect(boot()).rejects.toThrow(/Redis Cluster, which is not supported/);
  });

  it('of a Redis Cluster that keeps INFO to others is told by its first answer', async () => {
    const { url, port } = await startCluster();
    // It has every slot but that of the key.
    const slot = Number(cli(port, 'cluster', 'keyslot', 'app:test:stream'));
    cli(port, 'cluster', 'addslotsrange', '0', String(slot - 1), String(slot + 1), '16383');
    cli(port, 'acl', 'setuser', 'default', '-info');
    const said: string[] = [];
    vi.spyOn(Logger.prototype, 'error').mockImplementation((line) => void said.push(String(line)));
    const stream = await ReplicaStream.open(url, 'app:test', 'r1', () => Promise.resolve());
    ends.push(() => stream.close());
    expect(stream.health().ok).toBe(false);
    await expect.poll(() => said.join('\n')).toMatch(/Redis Cluster, which is not supported/);
  });

  it('of a Sentinel is refused at boot', async () => {
    const [port = 0] = await freePorts();
    const file = join(folder, 'sentinel.conf');
    writeFileSync(file, `port ${port}\nbind 127.0.0.1\ndir ${folder}\n`);
    const sentinel = spawn('redis-server', [file, '--sentinel']);
    ends.push(() => sentinel.kill('SIGKILL'));
    await new Promise<void>((resolve) =>
      sentinel.stdout.on('data', (text) => {
        if (String(text).includes('Sentinel ID is')) resolve();
      }),
    );
    const boot = Stack.start({ env: { REDIS_URL: `redis://127.0.0.1:${port}` } });
    await expect(boot).rejects.toThrow(/Sentinel, which is not supported/);
  });

  it('of rediss:// links replicas where its certificate is trusted, and says so where not', async () => {
    const { key, cert } = makeCertificate(folder);
    const redis = await startOwnRedis({
      more: (port) => ({
        port: 0,
        'tls-port': port,
        'tls-key-file': key,
        'tls-cert-file': cert,
        'tls-auth-clients': 'no',
      }),
    });
    ends.push(() => redis.stop());
    const bundle = await buildReplica();
    ends.push(() => bundle.remove());
    const [tcpPort, otherPort] = (await freePorts()).map(String);
    const REDIS_URL = redis.url.replace('redis:', 'rediss:');
    const trusting = await startReplica(bundle.file, {
      REDIS_URL,
      REALTIME_TCP_PORT: tcpPort,
      NODE_EXTRA_CA_CERTS: cert,
    });
    ends.push(() => trusting.stop());
    await trusting.printed('Linked to the other replicas');
    const other = await startReplica(bundle.file, { REDIS_URL, REALTIME_TCP_PORT: otherPort });
    ends.push(() => other.stop());
    await other.printed(/Other replicas receive nothing: .*self-signed certificate/);
  }, 90_000);
});
