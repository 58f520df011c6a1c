import type { CacheEntry } from './caches/cache.ts';

/** Texts, numbers and truth values that nodes of a job gave, where the cache does not keep them. */
export type ScalarResults = {
  keep(id: string, outputs: CacheEntry['outputs']): void;
  /** The one scalar that a slot gave; undefined where it gave several, or something else. */
  get(id: string, slot: number): unknown;
};

/** Nodes that describe a picture ask what others gave; without a cache pictures go, but this much stays. */
export function createScalarResults(): ScalarResults {
  const results = new Map<string, readonly unknown[]>();
  return {
    keep(id, outputs) {
      const scalars = outputs.map((elements) =>
        elements.length === 1 && isScalar(elements[0]) ? elements[0] : undefined,
      );
      if (scalars.some((scalar) => scalar !== undefined)) results.set(id, scalars);
    },
    get: (id, slot) => results.get(id)?.[slot],
  };
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value);
}
