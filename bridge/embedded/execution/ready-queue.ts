/** Something that waits in a queue of several ranks. */
export type Queued = {
  /** Of two of one rank the lower goes first. */
  readonly order: number;
  /** The rank it is queued under; -1: not queued. The queue writes this. */
  queuedAs: number;
};

/**
 * A priority queue whose members may rise in rank, or cease to be ready, while they wait: entries that no longer
 * hold are skipped when they come up. Every operation is logarithmic.
 */
export function createReadyQueue<T extends Queued>(ranks: number, isReady: (item: T) => boolean) {
  const heaps: T[][] = Array.from({ length: ranks }, () => []);
  return {
    push(item: T, rank: number): void {
      const heap = heaps[rank];
      if (!heap || item.queuedAs === rank) return;
      item.queuedAs = rank;
      siftUp(heap, item);
    },
    /** The first of the best rank, taken out; undefined when nothing is ready. */
    pop(): T | undefined {
      for (const [rank, heap] of heaps.entries()) {
        for (let item = popFirst(heap); item; item = popFirst(heap)) {
          if (item.queuedAs !== rank) continue;
          item.queuedAs = -1;
          if (isReady(item)) return item;
        }
      }
      return undefined;
    },
  };
}

function siftUp<T extends Queued>(heap: T[], item: T): void {
  let at = heap.length;
  while (at > 0) {
    const parentAt = (at - 1) >> 1;
    const parent = heap[parentAt];
    if (!parent || parent.order <= item.order) break;
    heap[at] = parent;
    at = parentAt;
  }
  heap[at] = item;
}

function popFirst<T extends Queued>(heap: T[]): T | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (!last || heap.length === 0) return first;
  let at = 0;
  for (;;) {
    const left = heap[2 * at + 1];
    if (!left) break;
    const right = heap[2 * at + 2];
    const [child, childAt] = right && right.order < left.order ? [right, 2 * at + 2] : [left, 2 * at + 1];
    if (last.order <= child.order) break;
    heap[at] = child;
    at = childAt;
  }
  heap[at] = last;
  return first;
}
