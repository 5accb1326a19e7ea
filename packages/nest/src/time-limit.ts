/** In milliseconds; an object, so that tests need not wait so long. */
export const TIME_LIMITS = {
  /** How long code of the app's owner may take to answer: a policy, a check. */
  owner: 10_000,
};

/**
 * Waits for `work`, but no longer than so many milliseconds. Work that takes
 * longer goes on, and nobody waits for it.
 *
 * @param late makes the error for work that takes longer
 */
export async function withTimeLimit<T>(
  ms: number,
  work: T | Promise<T>,
  late: () => Error,
): Promise<T> {
  if (!(work instanceof Promise)) {
    return work;
  }
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
