import type { CacheEntry } from './caches/cache.ts';

/**
 * Results on their way: what each waiting node will read, held until it is done, whatever the cache drops meanwhile.
 */
export type Wires = {
  /** `to` will read what `from` gives, or has given already. */
  connect(from: string, to: string, result: CacheEntry | undefined): void;
  read(from: string, to: string): CacheEntry | undefined;
  /** A result is there: everyone who waits gets it. */
  publish(from: string, result: CacheEntry): void;
  /** The node is done: it reads no more. */
  disconnect(id: string): void;
};

export function createWires(): Wires {
  const readers = new Map<string, Map<string, CacheEntry | undefined>>();
  const waiting = new Map<string, Set<string>>();
  return {
    connect(from, to, result) {
      const incoming = readers.get(to) ?? new Map<string, CacheEntry | undefined>();
      incoming.set(from, result);
      readers.set(to, incoming);
      if (result) return;
      const listeners = waiting.get(from);
      if (listeners) listeners.add(to);
      else waiting.set(from, new Set([to]));
    },
    read: (from, to) => readers.get(to)?.get(from),
    publish(from, result) {
      for (const to of waiting.get(from) ?? []) readers.get(to)?.set(from, result);
      waiting.delete(from);
    },
    disconnect(id) {
      readers.delete(id);
    },
  };
}
