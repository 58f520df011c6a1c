/**
 * Lets only so many pieces of work run at a time; the others wait, first come, first served.
 *
 * @param limit how many at a time, 1 or more; 1 makes work on one file exclusive.
 * @returns runs a piece of work when its turn comes, and gives or throws what it does.
 */
export function createTurns(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    // Whoever ends hands its place over, so nobody comes in between.
    if (running < limit) running += 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
