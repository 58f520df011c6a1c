/**
 * Does the same with each of many things, some at a time, and gives the results in the order of the things: how many
 * are at work changes nothing in what comes out. No more is taken than is at work, so a million things take no more
 * memory than ten.
 *
 * @param work tells its failures in its result: what it throws ends everything, once those at work are done.
 * @param signal looked at before each thing; its reason is thrown.
 */
export async function* inOrder<T, R>(
  things: AsyncIterable<T> | Iterable<T>,
  jobs: number,
  signal: AbortSignal,
  work: (thing: T) => Promise<R>,
): AsyncGenerator<R, void, undefined> {
  const begun: Promise<R>[] = [];
  try {
    for await (const thing of things) {
      signal.throwIfAborted();
      const result = work(thing);
      // It may fail before its turn comes, which is where it is told.
      result.catch(() => {});
      begun.push(result);
      const [first] = begun;
      if (begun.length < jobs || first === undefined) continue;
      const ended = await first;
      begun.shift();
      yield ended;
    }
    for (let first = begun[0]; first !== undefined; first = begun[0]) {
      const ended = await first;
      begun.shift();
      yield ended;
    }
  } finally {
    await Promise.allSettled(begun);
  }
}
