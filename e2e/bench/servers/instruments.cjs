/**
 * Preloaded into every measured server. SIGUSR2: collects garbage and prints what is left. SIGHUP: begins a CPU
 * profile, or ends it and prints the time of each function.
 */
const { Session } = require('node:inspector');

process.on('SIGUSR2', () => {
  globalThis.gc();
  globalThis.gc();
  process.stdout.write(`memory ${JSON.stringify(process.memoryUsage())}\n`);
});

let session;
process.on('SIGHUP', () => {
  if (session) {
    session.post('Profiler.stop', (_error, { profile }) => {
      process.stdout.write(`profile ${JSON.stringify(selfTimes(profile))}\n`);
      session.disconnect();
      session = undefined;
    });
    return;
  }
  session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: 200 });
  session.post('Profiler.start');
});

/** Microseconds spent in each function itself, with where it stands. */
function selfTimes({ nodes, samples, timeDeltas }) {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const times = new Map();
  samples.forEach((id, index) => {
    const { functionName, url } = frames.get(id);
    const key = `${functionName || '(anonymous)'}\n${url}`;
    times.set(key, (times.get(key) ?? 0) + timeDeltas[index]);
  });
  return [...times].map(([key, micros]) => [...key.split('\n'), micros]);
}
