/** A job of many short nodes gives way to sockets and timers this often. */
const SLICE_MS = 10;

/** Resolves after what already waits in the event loop had its turn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Tells when work that never waits has held the event loop long enough, and lets others have their turn. */
export type Slices = { isOver(): boolean; next(): Promise<void> };

export function createSlices(): Slices {
  let began = performance.now();
  return {
    isOver: () => performance.now() - began > SLICE_MS,
    async next() {
      await nextTurn();
      began = performance.now();
    },
  };
}

/** One who waits and many who may wake it; a ring that nobody waits for is kept. */
export function createBell(): { ring(): void; wait(): Promise<void> } {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    ring() {
      rung = true;
      wake?.();
    },
    async wait() {
      if (!rung) await new Promise<void>((resolve) => (wake = resolve));
      rung = false;
      wake = undefined;
    },
  };
}
