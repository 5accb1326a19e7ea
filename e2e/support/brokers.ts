import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A broker for tests. Times are bounded: every method rejects rather than hangs. */
export interface Broker {
  readonly url: string;
  /** Ends it and removes its data. Does nothing to a broker that the environment names. */
  stop(): Promise<void>;
}

/** A broker of the test's own, free to be broken. */
export interface OwnBroker extends Broker {
  /** SIGKILL; the data stays for `restart`. */
  kill(): Promise<void>;
  /** Kills it when it still runs, then starts it on the same port with the same data. */
  restart(): Promise<void>;
  /** Of the process that runs now. */
  readonly pid: number;
}

export interface OwnRabbit extends OwnBroker {
  /** Runs rabbitmqctl against this node and returns what it prints. */
  ctl(...args: string[]): Promise<string>;
}

const START_TIMEOUT_MS = 60_000;

/** The RabbitMQ that `RABBITMQ_URL` names, else one of our own. */
export async function startRabbit(): Promise<Broker> {
  const url = process.env['RABBITMQ_URL'];
  return url ? { url, stop: () => Promise.resolve() } : startOwnRabbit();
}

/** The Redis that `REDIS_URL` names, else one of our own. */
export async function startRedis(): Promise<Broker> {
  const url = process.env['REDIS_URL'];
  return url ? { url, stop: () => Promise.resolve() } : startOwnRedis();
}

/** Starts a RabbitMQ node on free loopback ports with its own data, cookie and epmd. */
export async function startOwnRabbit(): Promise<OwnRabbit> {
  ensureInstalled(['rabbitmq-server']);
  const [port, distPort, epmdPort] = await freePorts();
  const guard = new Guard('rabbit');
  for (const folder of ['home', 'mnesia', 'log']) {
    mkdirSync(join(guard.dir, folder));
  }
  writeFileSync(join(guard.dir, 'enabled_plugins'), '[].\n');
  writeFileSync(join(guard.dir, 'rabbitmq.conf'), 'loopback_users.guest = true\n');
  const env = {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: join(guard.dir, 'home'),
    // A node or rabbitmqctl that is killed leaves no erl_crash.dump where the tests run.
    ERL_CRASH_DUMP_SECONDS: '0',
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `realtime-${process.pid}-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distPort),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none',
    RABBITMQ_CONF_ENV_FILE: '/dev/null',
    RABBITMQ_CONFIG_FILE: join(guard.dir, 'rabbitmq.conf'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(guard.dir, 'enabled_plugins'),
    RABBITMQ_MNESIA_BASE: join(guard.dir, 'mnesia'),
    RABBITMQ_LOG_BASE: join(guard.dir, 'log'),
    RABBITMQ_LOGS: '-',
  };
  // Debian's /usr/sbin wrappers switch to the rabbitmq user and its own folders.
  const bin = (name: string) => join('/usr/lib/rabbitmq/bin', name);
  const start = async () => {
    guard.spawn('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], env);
    await accepting(epmdPort);
    const server = guard.spawn(bin('rabbitmq-server'), [], env);
    await printed(server, 'Server startup complete');
  };
  await guard.orStop(start());
  return {
    url: `amqp://guest:guest@127.0.0.1:${port}`,
    stop: () => guard.stop(),
    get pid() {
      return guard.pid;
    },
    kill: () => guard.kill(),
    restart: () => guard.kill().then(start),
    ctl: async (...args) => {
      const { stdout } = await promisify(execFile)(bin('rabbitmqctl'), ['--quiet', ...args], {
        env,
        timeout: START_TIMEOUT_MS,
      });
      return stdout;
    },
  };
}

/**
 * Starts a Redis on a free loopback port; what it holds survives a kill when it is `durable`.
 *
 * @param more options of redis-server, laid over those that it gets
 */
export async function startOwnRedis({
  durable = false,
  more = () => ({}),
}: {
  readonly durable?: boolean;
  readonly more?: (port: number) => Readonly<Record<string, string | number>>;
} = {}): Promise<OwnBroker> {
  ensureInstalled(['redis-server']);
  const [port = 0] = await freePorts();
  const guard = new Guard('redis');
  const start = async () => {
    const appendonly = durable ? 'yes' : 'no';
    const options = {
      bind: '127.0.0.1',
      port,
      dir: guard.dir,
      save: '',
      appendonly,
      ...more(port),
    };
    const args = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
    await printed(
      guard.spawn('redis-server', args, { PATH: process.env['PATH'] }),
      'Ready to accept connections',
    );
  };
  await guard.orStop(start());
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: () => guard.stop(),
    get pid() {
      return guard.pid;
    },
    kill: () => guard.kill(),
    restart: () => guard.kill().then(start),
  };
}

/**
 * Installs what is missing with apt-get: as root on Debian only.
 *
 * @param packages Debian packages, each with a binary of its own name
 * @throws Error naming the packages that must be installed by hand
 */
export function ensureInstalled(packages: readonly string[]): void {
  const missing = packages.filter((name) => !isInstalled(name));
  if (missing.length === 0) {
    return;
  }
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) {
    throw new Error(`Not installed: ${missing.join(', ')}. Install it, or name a running broker.`);
  }
  const env = {
    ...process.env,
    DEBIAN_FRONTEND: 'noninteractive',
    // No service may start: tests run their own nodes on free ports.
    RUNLEVEL: '1',
  };
  execFileSync('apt-get', ['update', '-qq'], { env, stdio: 'ignore' });
  execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...missing], {
    env,
    stdio: 'ignore',
  });
}

function isInstalled(binary: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/usr/local/sbin'];
  return folders.some((folder) => {
    try {
      return folder !== '' && readdirSync(folder).includes(binary);
    } catch {
      return false;
    }
  });
}

/**
 * Owns a temporary folder and process groups. A watcher outside of our process group holds the
 * read end of a pipe: when this process ends, however it ends, the watcher kills and removes both.
 */
class Guard {
  readonly dir: string;
  private readonly watcher: ChildProcess;
  private running: ChildProcess[] = [];

  constructor(name: string) {
    this.dir = mkdtempSync(join(tmpdir(), `nx-realtime-${name}-`));
    const script = `trap '' INT TERM HUP
while read -r line; do pids=$line; done
for pid in $pids; do kill -9 "-$pid"; done
for turn in 1 2 3 4 5; do rm -rf "$0" && break; sleep 0.2; done`;
    this.watcher = spawn('/bin/sh', ['-c', script, this.dir], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    this.watcher.stdin?.on('error', () => undefined);
    this.watcher.unref();
  }

  /** Of what was started last. */
  get pid(): number {
    const pid = this.running.at(-1)?.pid;
    if (pid === undefined) throw new Error('It is not running');
    return pid;
  }

  spawn(command: string, args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
    const child = spawn(command, args, {
      cwd: this.dir,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.on('error', () => undefined);
    // One that nobody stops, as after a failed set-up, does not keep this process from ending.
    child.unref();
    for (const stream of [child.stdout, child.stderr]) (stream as Socket | null)?.unref();
    this.running.push(child);
    this.report();
    return child;
  }

  async kill(): Promise<void> {
    const ended = this.running.map(
      (child) =>
        new Promise<void>((resolve) => {
          if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
            resolve();
            return;
          }
          child.once('close', () => resolve());
          child.ref();
          process.kill(-child.pid, 'SIGKILL');
        }),
    );
    this.running = [];
    await Promise.all(ended);
    this.report();
  }

  async stop(): Promise<void> {
    await this.kill();
    this.watcher.stdin?.end();
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  }

  async orStop(started: Promise<void>): Promise<void> {
    try {
      await started;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  private report(): void {
    this.watcher.stdin?.write(`${this.running.map(({ pid }) => pid).join(' ')}\n`);
  }
}

/** Resolves when the child prints the text; rejects with its output when it ends or takes too long. */
function printed(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (why: string) => reject(new Error(`${child.spawnfile} ${why}:\n${output}`));
    const timer = setTimeout(() => fail('is not ready in time'), START_TIMEOUT_MS);
    const read = (chunk: Buffer) => {
      output = (output + chunk.toString()).slice(-20_000);
      if (output.includes(text)) {
        clearTimeout(timer);
        resolve();
      }
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('close', () => {
      clearTimeout(timer);
      fail('ended');
    });
  });
}

async function accepting(port: number): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  while (Date.now() < until) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Nothing listens on 127.0.0.1:${port}`);
}

/** Three ports that are free at this moment, all different. */
export async function freePorts(): Promise<[number, number, number]> {
  const servers = await Promise.all(
    Array.from(
      { length: 3 },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address ? address.port : 0;
  });
  await Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
  );
  return ports as [number, number, number];
}
