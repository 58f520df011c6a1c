import { setTimeout as sleep } from 'node:timers/promises';
import { atMost, type Measurement, median } from '../measure.ts';
import { manyEmpty } from './graphs.ts';
import { openSession } from './session.ts';

const NODES = 10_000;
const FEWER = 2_500;
const RUNS = 5;

/** The whole time of a graph of empty nodes, from post to the last message; and whether it grows with the nodes. */
export async function measureManyNodes(
  embedded: string,
  comfyui: string | undefined,
): Promise<readonly Measurement[]> {
  // Interleaved, so that a busy moment of the machine meets both; the first run of each only warms up.
  const many: number[] = [];
  const few: number[] = [];
  for (let run = 0; run <= RUNS; run++) {
    const [manyMs, fewMs] = [await timeMany(embedded, NODES, run), await timeMany(embedded, FEWER, run)];
    if (run === 0) continue;
    many.push(manyMs);
    few.push(fewMs);
  }
  const rows: Measurement[] = [
    { name: `embedded: ${NODES} empty nodes, from post to end, p50`, value: median(many), unit: 'ms' },
    atMost(
      `embedded: time of a node among ${NODES} against ${FEWER}`,
      median(many) / NODES / (median(few) / FEWER),
      'x',
      1.5,
    ),
  ];
  if (comfyui !== undefined) {
    // One run, not waited for beyond what decides: it takes minutes, since ComfyUI sends the state of all nodes for each.
    const cap = median(many) * 20;
    const peer = await Promise.race([timeMany(comfyui, NODES, 0), sleep(cap, cap, { ref: false })]);
    const ratio = peer / median(many);
    const atLeast = peer === cap ? ', stopped then' : '';
    rows.push(
      { name: `ComfyUI: ${NODES} empty nodes, one cold run${atLeast}`, value: peer, unit: 'ms' },
      {
        name: `ComfyUI over embedded, the same graph${peer === cap ? ', at least' : ''}`,
        value: ratio,
        unit: 'x',
        goal: '>= 5',
        ok: ratio >= 5,
      },
    );
  }
  return rows;
}

async function timeMany(url: string, nodes: number, run: number): Promise<number> {
  const session = await openSession(url);
  const graph = manyEmpty(nodes, run * 1e6 + nodes);
  const start = performance.now();
  await session.run(graph);
  const ms = performance.now() - start;
  session.close();
  return ms;
}
