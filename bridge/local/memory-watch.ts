import { getHeapStatistics } from 'node:v8';
import { LineageError } from '../../nodes/kit/errors.ts';

/** What memory there is, in bytes. */
export type MemoryMeter = {
  /** What the machine, or the limit of the container, could still give to this process. */
  available(): number;
  /** How much of its own heap the engine uses, from 0 to 1; at 1 the process ends. */
  heapUsed(): number;
};

/** The meter of this process. */
export const processMeter: MemoryMeter = {
  // Knows the limits of a container, which os.freemem() does not.
  available: () => process.availableMemory(),
  heapUsed() {
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    return used / limit;
  },
};

/** Refuses work while memory is short. */
export type MemoryWatch = {
  /**
   * To be called before each piece of work; looks at the meter a few times a second, or at once for much.
   * @param bytes that the work is going to take, as far as one knows
   * @throws LineageError `run/memory-short`
   */
  check(bytes?: number): void;
};

/** Left to the rest of the machine, and to what a piece of work takes that nobody counted. */
const SPARE_BYTES = 256 * 1024 * 1024;
/** Above this the engine spends its time collecting garbage, and what comes next may not fit any more. */
const HEAP_USED_MAX = 0.75;
/** Asking costs a read of a file, so not before each of many small nodes. */
const ASK_EVERY_MS = 20;
/** Work of this size is never let through unasked. */
const LARGE_BYTES = 16 * 1024 * 1024;

/**
 * A workflow may ask for pictures without end; without this, the system would end the whole process by it, and what
 * waits in the queue with it. So the node that would not fit fails instead.
 */
export function createMemoryWatch(meter: MemoryMeter = processMeter): MemoryWatch {
  let asked = Number.NEGATIVE_INFINITY;
  return {
    check(bytes = 0) {
      const now = performance.now();
      if (bytes < LARGE_BYTES && now - asked < ASK_EVERY_MS) return;
      asked = now;
      const available = meter.available();
      if (available < bytes + SPARE_BYTES) {
        throw new LineageError(
          'run/memory-short',
          `expected ${toMebibytes(bytes + SPARE_BYTES)} MiB of free memory, got ${toMebibytes(available)}`,
        );
      }
      const used = meter.heapUsed();
      if (used > HEAP_USED_MAX) {
        throw new LineageError(
          'run/memory-short',
          `expected at most ${HEAP_USED_MAX * 100} % of this process's own memory in use, got ${Math.round(used * 100)} %`,
        );
      }
    },
  };
}

function toMebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}
