import type { ResultCache } from './cache.ts';

/**
 * Keeps nothing. Results still flow to the nodes that wait for them (`Wires`), so a node runs again only when it is
 * asked for after its result was used up, by a lazy input: ComfyUI does the same.
 */
export function createNoCache(): ResultCache {
  return {
    openJob() {},
    openExpansion() {},
    find: () => undefined,
    store() {},
    relieve() {},
    closeJob() {},
    nodeIds: () => [],
    clear() {},
  };
}
