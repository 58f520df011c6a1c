import type { Checkpoints } from './checkpoints.ts';

const TICK_MS = 100;
const CHECKPOINT_MS = 1000;

export type ClockOptions = {
  /** Called a few times a second. */
  tick(): void;
  /** Absent: there is no journal to keep. */
  readonly checkpoints?: Checkpoints | undefined;
  /** Whether bytes are flushed before the journal claims them. */
  readonly flush: boolean;
  /** Between two entries of the journal; default a second. */
  readonly checkpointMs?: number | undefined;
  /** Told once why the journal cannot be kept: the run goes on, but a later one may have to begin anew. */
  readonly onJournalLost?: ((reason: unknown) => void) | undefined;
};

export type JournalClock = {
  stop(): void;
  /** When nothing is being written to the journal. Never fails. */
  readonly idle: Promise<void>;
};

/** Tells of progress and brings the journal up to date, while threads work. */
export function startClock(options: ClockOptions): JournalClock {
  const { tick, checkpoints, flush, onJournalLost } = options;
  const between = options.checkpointMs ?? CHECKPOINT_MS;
  let next = performance.now() + between;
  let isTaking = false;
  let isLost = false;
  let idle: Promise<void> = Promise.resolve();

  async function take(keeper: Checkpoints): Promise<void> {
    isTaking = true;
    try {
      await keeper.take(flush);
    } catch (reason) {
      if (!isLost) onJournalLost?.(reason);
      isLost = true;
    } finally {
      isTaking = false;
      next = performance.now() + between;
    }
  }

  const timer = setInterval(
    () => {
      tick();
      if (checkpoints && !isTaking && performance.now() >= next) idle = take(checkpoints);
    },
    Math.min(TICK_MS, between),
  );
  return {
    stop: () => clearInterval(timer),
    get idle() {
      return idle;
    },
  };
}
