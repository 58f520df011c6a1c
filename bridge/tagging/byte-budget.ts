/** How much of memory the files in work may take together. */
export type ByteBudget = {
  /** Waits for its turn. More than the whole budget is had alone. */
  take(bytes: number): Promise<void>;
  giveBack(bytes: number): void;
};

/** Whoever came first is served first, so a large file is never passed by small ones for ever. */
export function createByteBudget(total: number): ByteBudget {
  const waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  let taken = 0;

  function serve(): void {
    for (let first = waiting[0]; first; first = waiting[0]) {
      if (taken > 0 && taken + first.bytes > total) return;
      taken += first.bytes;
      waiting.shift();
      first.go();
    }
  }

  return {
    take(bytes) {
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.push({ bytes, go: resolve });
      serve();
      return promise;
    },
    giveBack(bytes) {
      taken -= bytes;
      serve();
    },
  };
}
