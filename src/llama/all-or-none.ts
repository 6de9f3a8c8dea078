/** Runs `work` with a signal that gives up what is still under way once it has ended, as where one of several failed. */
export async function allOrNone<T>(
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  try {
    return await work(signal ? AbortSignal.any([signal, over.signal]) : over.signal);
  } finally {
    over.abort();
  }
}
