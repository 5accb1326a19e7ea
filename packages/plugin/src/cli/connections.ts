import type { CliApp } from './workspace.js';

const TIMEOUT_MS = 1_000;

/**
 * Counts the sockets of this app in a namespace by its metrics on this machine.
 *
 * @returns null where it has none (`--observability`), or they are not reached
 */
export async function connectionsOf({ env }: CliApp, namespace: string): Promise<number | null> {
  const address = env['REALTIME_METRICS_ADDRESS'];
  if (address === undefined || env['NODE_ENV'] === 'production') return null;
  try {
    const answer = await fetch(`http://${address}/metrics`, {
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return answer.ok ? countOf(await answer.text(), namespace) : null;
  } catch {
    return null;
  }
}

/** The gauge in the text format of Prometheus; before the first connection it has no sample. */
function countOf(metrics: string, namespace: string): number | null {
  if (!metrics.includes('# TYPE realtime_connections gauge')) return null;
  const sample = `realtime_connections{namespace="${namespace}"} `;
  const line = metrics.split('\n').find((one) => one.startsWith(sample));
  return line === undefined ? 0 : Number(line.slice(sample.length));
}
