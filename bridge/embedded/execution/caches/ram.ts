import type { ResultCache } from './cache.ts';
import { heldBytes } from './held-bytes.ts';
import { createGenerationCache, type Kept } from './lru.ts';

/** Asking the system costs a read of a file: not after every one of many small nodes. */
const ASK_EVERY_MS = 50;
/** More than enough is freed once it is too much, or the next node would be there again (ComfyUI: the same factor). */
const HYSTERESIS = 1.1;
/** What a result weighs beside its pixels. */
const BASE_BYTES = 1024;
/** How much more a result weighs for every job that did not use it (ComfyUI 618b803d comfy_execution/caching.py). */
const AGE_FACTOR = 1.3;
const GIB = 1024 ** 3;

/**
 * Keeps everything until the machine has less than `headroomGiB` free; then the largest and longest unused go.
 *
 * Memory that is let go comes back only when the engine collects it, so what was dropped is counted as free at once:
 * else one look at the meter would empty the cache.
 *
 * @param availableBytes what the machine could still give to this process.
 */
export function createRamCache(headroomGiB: number, availableBytes: () => number): ResultCache {
  const headroom = headroomGiB * GIB;
  let asked = Number.NEGATIVE_INFINITY;
  return createGenerationCache({
    evictOnOpen() {},
    relieve(kept, generation) {
      const now = performance.now();
      if (now - asked < ASK_EVERY_MS) return;
      asked = now;
      let free = availableBytes();
      if (free > headroom) return;
      for (const { key, bytes } of heaviestFirst(kept, generation)) {
        if (free >= headroom * HYSTERESIS) return;
        kept.delete(key);
        free += bytes;
      }
    },
  });
}

function heaviestFirst(kept: Map<string, Kept>, generation: number) {
  return [...kept]
    .map(([key, result]) => {
      const bytes = heldBytes(result.entry.outputs) + BASE_BYTES;
      return {
        key,
        bytes,
        weight: AGE_FACTOR ** (generation - result.generation) * bytes,
        touched: result.touched,
      };
    })
    .sort((a, b) => b.weight - a.weight || a.touched - b.touched);
}
