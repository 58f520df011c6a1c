import type { ResultCache } from './cache.ts';
import { createClassicCache } from './classic.ts';
import { createLruCache } from './lru.ts';
import { createNoCache } from './none.ts';
import { createRamCache } from './ram.ts';

/** How results are kept: `--cache-classic`, `--cache-lru N`, `--cache-none`, `--cache-ram GB`. */
export type CacheChoice =
  | { readonly kind: 'classic' }
  /** @property size results at least that are kept; 0 is classic, as in ComfyUI. */
  | { readonly kind: 'lru'; readonly size: number }
  | { readonly kind: 'none' }
  /** @property headroomGiB memory of the machine that is to stay free. */
  | { readonly kind: 'ram'; readonly headroomGiB: number };

export function createCache(choice: CacheChoice): ResultCache {
  switch (choice.kind) {
    case 'classic':
      return createClassicCache();
    case 'lru':
      return choice.size > 0 ? createLruCache(choice.size) : createClassicCache();
    case 'none':
      return createNoCache();
    case 'ram':
      // availableMemory() knows the limits of a container, which os.freemem() does not.
      return createRamCache(choice.headroomGiB, () => process.availableMemory());
  }
}
