import { atMost, type Measurement, median } from '../measure.ts';
import { chain, chainIds, node } from './graphs.ts';
import { nodeTimes, openSession, type Session } from './session.ts';

/** A graph of ordinary size: for each node ComfyUI tells the states of all, so a long chain costs more a node. */
const EMPTY_NODES = 40;
const IMAGE_NODES = 20;
const RUNS = 10;

/** What it costs that a node of ours runs in another process, beside Python nodes that do the same. */
export async function measureRoundTrips(url: string): Promise<readonly Measurement[]> {
  const session = await openSession(url);
  const start = node('BenchStart', { salt: 'start' });
  const photo = node('BenchPhotos', { count: 1, side: 1024, seed: 1 });
  const time = {
    ours: (run: number) => timeChain(session, chain('LineageBenchEmpty', 'value', EMPTY_NODES, run, start)),
    python: (run: number) => timeChain(session, chain('BenchEmpty', 'value', EMPTY_NODES, run, start)),
    oursImage: (run: number) =>
      timeChain(session, chain('LineageBenchCopy', 'image', IMAGE_NODES, run, photo)),
    pythonImage: (run: number) => timeChain(session, chain('BenchCopy', 'image', IMAGE_NODES, run, photo)),
  };
  const found = { ours: [], python: [], oursImage: [], pythonImage: [] } as Record<
    keyof typeof time,
    number[]
  >;
  for (let run = 0; run <= RUNS; run++) {
    for (const kind of ['ours', 'python', 'oursImage', 'pythonImage'] as const) {
      const times = await time[kind](run);
      // The first run starts the bridge and compiles.
      if (run > 0) found[kind].push(...times);
    }
  }
  session.close();
  return [
    atMost('ComfyUI: an empty node of ours, p50', median(found.ours), 'ms', 2),
    { name: 'ComfyUI: an empty Python node, p50', value: median(found.python), unit: 'ms' },
    atMost(
      'ComfyUI: an empty node of ours, more than a Python node (the round trip)',
      median(found.ours) - median(found.python),
      'ms',
      2,
    ),
    { name: 'ComfyUI: 1024x1024 through a node of ours, p50', value: median(found.oursImage), unit: 'ms' },
    { name: 'ComfyUI: 1024x1024 through a Python node, p50', value: median(found.pythonImage), unit: 'ms' },
    atMost(
      'ComfyUI: 1024x1024 in and out, more than a Python node',
      median(found.oursImage) - median(found.pythonImage),
      'ms',
      15,
    ),
  ];
}

async function timeChain(session: Session, graph: Parameters<Session['run']>[0]): Promise<number[]> {
  const nodes = chainIds(Object.keys(graph).length - 2);
  return nodeTimes(await session.run(graph), nodes);
}
