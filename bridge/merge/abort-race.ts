/** Waits for work no longer than until somebody cancels. */
export type AbortRace = {
  /** @throws the reason of the signal as soon as it aborts, whatever becomes of the work */
  orAborted<T>(work: Promise<T> | T): Promise<T>;
  /** No longer listens to the signal. */
  end(): void;
};

/** Nothing that is awaited through it keeps a caller who has cancelled. */
export function raceAbort(signal: AbortSignal): AbortRace {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort);
  // Nobody may be waiting when it comes.
  aborted.catch(() => undefined);
  return {
    async orAborted(work) {
      signal.throwIfAborted();
      return await Promise.race([work, aborted]);
    },
    end: () => signal.removeEventListener('abort', abort),
  };
}
