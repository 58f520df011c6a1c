import type { Pixels } from '../../nodes/kit/values.ts';

/** People see no more than ten steps a second, and each is a message to every open page. */
const INTERVAL_MS = 100;

/** One state of a bar. */
export type ProgressStep = {
  readonly value: number;
  readonly total: number;
  readonly preview: Pixels | undefined;
};

/** What a node reports, thinned out: the latest state at most every tenth of a second. */
export type Progress = {
  report(step: ProgressStep): void;
  /** Shows a last state that is still held back, without its preview, and nothing after it. */
  finish(): void;
};

/** @param show is never called twice at once; what comes meanwhile waits. */
export function createProgress(show: (step: ProgressStep) => Promise<void>): Progress {
  let waiting: ProgressStep | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isShowing = false;
  let isOver = false;
  let shownAt = Number.NEGATIVE_INFINITY;

  async function flush(): Promise<void> {
    timer = undefined;
    const step = waiting;
    if (!step) return;
    waiting = undefined;
    isShowing = true;
    shownAt = performance.now();
    try {
      await show(step);
    } finally {
      isShowing = false;
      if (!isOver) plan();
    }
  }

  function plan(): void {
    if (!waiting || timer || isShowing) return;
    const wait = shownAt + INTERVAL_MS - performance.now();
    if (wait <= 0) void flush();
    else timer = setTimeout(() => void flush(), wait);
  }

  return {
    report(step) {
      if (isOver || !(step.total > 0) || !Number.isFinite(step.value)) return;
      waiting = step;
      plan();
    },
    finish() {
      isOver = true;
      clearTimeout(timer);
      const last = waiting;
      waiting = undefined;
      if (last) void show({ ...last, preview: undefined });
    },
  };
}
