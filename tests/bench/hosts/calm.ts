import { atMost, type Measurement, median } from '../measure.ts';
import { manyEmpty, node } from './graphs.ts';
import { openSession } from './session.ts';
import { type BenchRuntime, startBenchRuntime } from './start.ts';

const STARTS = 10;
const RUNS = 5;

/** From the start of the program to its first answer; the very first start, which compiles, is told apart. */
export async function measureStarts(work: string): Promise<readonly Measurement[]> {
  const times: number[] = [];
  for (let start = 0; start <= STARTS; start++) {
    const runtime = await startBenchRuntime(work);
    times.push(runtime.readyMs);
    await runtime.close();
  }
  const [first = Number.NaN, ...later] = times;
  return [
    { name: 'embedded: from start to first answer, first start ever', value: first, unit: 'ms' },
    atMost(`embedded: from start to first answer, p50 of ${STARTS}`, median(later), 'ms', 1000),
  ];
}

/** The longest that the event loop stands still while the runtime takes and runs what is large. */
export async function measureBlocks(runtime: BenchRuntime): Promise<readonly Measurement[]> {
  const session = await openSession(runtime.url);
  const longest = async (graphOf: (run: number) => Parameters<typeof session.run>[0]): Promise<number> => {
    const blocks: number[] = [];
    for (let run = 0; run <= RUNS; run++) {
      await session.run(graphOf(run));
      const block = await runtime.longestBlockMs();
      // The first run compiles.
      if (run > 0) blocks.push(block);
    }
    return median(blocks);
  };
  await runtime.longestBlockMs();
  const many = await longest((run) => manyEmpty(10_000, 5e8 + run * 1e6));
  const large = await longest((run) => ({
    first: node('EmptyImage', { width: 4096, height: 4096, batch_size: 1, color: run }),
    save: node('SaveImage', { images: ['first', 0], filename_prefix: 'large' }),
  }));
  session.close();
  return [
    atMost('embedded: longest block of the event loop, saving 4096x4096, p50', large, 'ms', 50),
    atMost('embedded: longest block of the event loop, 10000 nodes, p50', many, 'ms', 50),
  ];
}
