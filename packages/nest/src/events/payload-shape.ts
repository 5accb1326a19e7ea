/** Levels of a payload, which recursive code survives by far. */
export const MAX_DEPTH = 32;
/** More than a client's payload needs: what one may cost stays small. */
export const MAX_VALUES = 2_000;

/**
 * Reads no more of a value than its bounds allow.
 *
 * @param maxValues how many values it may hold, on all levels
 * @param maxDepth how many levels it may have
 * @returns false for what recursive code does not survive, or may merge by mistake
 */
export function isHarmless(
  value: unknown,
  maxValues = MAX_VALUES,
  maxDepth = MAX_DEPTH,
): boolean {
  let left = maxValues;
  const walk = (item: unknown, depth: number): boolean => {
    if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item)) {
      return true;
    }
    const inner = Object.values(item);
    left -= inner.length;
    return (
      depth > 0 &&
      left >= 0 &&
      !Object.prototype.hasOwnProperty.call(item, '__proto__') &&
      inner.every((next) => walk(next, depth - 1))
    );
  };
  return walk(value, maxDepth);
}
