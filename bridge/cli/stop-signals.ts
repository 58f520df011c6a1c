import { type ExitStatus, STOPPED_BY, type StopSignal } from './exit-status.ts';

/** Waits for somebody who wants this process to end. */
export type StopListener = {
  /** Aborted by the first signal; a second one of its kind ends the process at once. */
  readonly signal: AbortSignal;
  /** What came, and the exit status that says so; undefined before. */
  stopped(): { readonly by: StopSignal; readonly status: ExitStatus } | undefined;
  end(): void;
};

export function listenForStop(signals: readonly StopSignal[]): StopListener {
  const abort = new AbortController();
  let by: StopSignal | undefined;
  const stop = (signal: NodeJS.Signals): void => {
    by ??= signals.find((each) => each === signal);
    abort.abort();
  };
  for (const signal of signals) process.once(signal, stop);
  return {
    signal: abort.signal,
    stopped: () => by && { by, status: STOPPED_BY[by] },
    end() {
      for (const signal of signals) process.off(signal, stop);
    },
  };
}
