/** Microseconds on the machine's monotonic clock: the same in every process. */
export function micros(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}

/** What a message carries for its age to be known on arrival: `"T<microseconds>"`, 20 digits. */
export function stamp(): string {
  return `T${String(micros()).padStart(20, '0')}`;
}

const MARK = Buffer.from('"T0');

/** The age of a stamped message in milliseconds; undefined without a stamp. */
export function ageOf(payload: Buffer): number | undefined {
  const at = payload.indexOf(MARK);
  if (at < 0) return undefined;
  return (micros() - Number(payload.toString('latin1', at + 2, at + 22))) / 1_000;
}

/** Percentiles of a sample, by the nearest rank. */
export function percentile(values: Float64Array | readonly number[], p: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)] ?? NaN;
}
