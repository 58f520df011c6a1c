import { type CacheEntry, type KeyedNode, type ResultCache, VOLATILE } from './cache.ts';

/** What a policy over generations sees of a kept result. */
export type Kept = {
  readonly entry: CacheEntry;
  /** The job that used it last. */
  generation: number;
  /** Counts uses: of two results the one with the lower number was used longer ago. */
  touched: number;
};

/**
 * Keeps at least `size` results: as long as there are more, those go that no job of the oldest generation used. All
 * results that one job used go together, so the number is a floor, not a ceiling.
 */
export function createLruCache(size: number): ResultCache {
  let oldest = 0;
  return createGenerationCache({
    evictOnOpen(kept, generation) {
      while (kept.size > size && oldest < generation) {
        oldest++;
        for (const [key, result] of kept) if (result.generation < oldest) kept.delete(key);
      }
    },
    relieve() {},
  });
}

/** When a cache over generations lets go of what. */
export type Policy = {
  /** A job or an expansion begins. */
  evictOnOpen(kept: Map<string, Kept>, generation: number): void;
  /** A node has run. */
  relieve(kept: Map<string, Kept>, generation: number): void;
};

/** Results by key over many jobs, each stamped with the job (the generation) that used it last. */
export function createGenerationCache(policy: Policy): ResultCache {
  const kept = new Map<string, Kept>();
  const keys = new Map<string, string>();
  let generation = 0;
  let clock = 0;

  function use(key: string): Kept | undefined {
    const result = kept.get(key);
    if (result) {
      result.generation = generation;
      result.touched = clock++;
    }
    return result;
  }

  function open(nodes: readonly KeyedNode[]): void {
    for (const { id, key } of nodes) {
      keys.set(id, key);
      use(key);
    }
    policy.evictOnOpen(kept, generation);
  }

  return {
    openJob(nodes) {
      generation++;
      keys.clear();
      open(nodes);
    },
    openExpansion(_parent, children) {
      open(children);
    },
    find(nodeId) {
      const key = keys.get(nodeId);
      return key === undefined ? undefined : use(key)?.entry;
    },
    store(nodeId, entry) {
      const key = keys.get(nodeId);
      if (key !== undefined) kept.set(key, { entry, generation, touched: clock++ });
    },
    relieve() {
      policy.relieve(kept, generation);
    },
    closeJob() {
      for (const key of keys.values()) if (key.startsWith(VOLATILE)) kept.delete(key);
    },
    nodeIds: () => [...keys.keys()],
    clear() {
      kept.clear();
    },
  };
}
