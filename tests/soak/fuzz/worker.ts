import { openSync, writeSync } from 'node:fs';
import { coreDefinitions } from '../../../bridge/cli/object-info.ts';
import { makeInput } from './inputs.ts';
import type { Kind } from './kinds.ts';
import { type Fault, MAX_RSS_BYTES, measureInput } from './measure.ts';
import { minimise } from './minimise.ts';
import { type BarePictures, carriedGraphs, makeSeeds } from './seeds.ts';
import type { Workbench } from './targets.ts';

/** The inputs [from, to) of a kind. */
export type Job = {
  readonly kind: Kind;
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** Where the number of the input at hand is kept, for whoever finds this process dead. */
  readonly positionFile: string;
  /** A fault is made as small as it gets. */
  readonly minimises: boolean;
};

/** A fault of an input, and the input in Base64. */
export type Finding = Fault & { readonly kind: Kind; readonly index: number; readonly input: string };

/** What a worker tells: what it found, or that it is through. A fault of memory ends it: the rest is another's. */
export type Report = { readonly finding: Finding } | { readonly done: number };

export function openBench(bare: BarePictures): Workbench {
  const seeds = makeSeeds(bare);
  const carried = carriedGraphs(seeds);
  const known = new Set([...carried.graphs, ...carried.workflows]);
  return { seeds, definitions: coreDefinitions(), known };
}

/** Tries the inputs of a job one after the other. */
export async function runJob(job: Job, bench: Workbench, tell: (report: Report) => void): Promise<void> {
  const position = openSync(job.positionFile, 'w');
  const known = new Set<string>();
  for (let index = job.from; index < job.to; index++) {
    writeSync(position, String(index).padStart(10), 0);
    const input = makeInput(job.kind, bench.seeds, job.seed, index);
    const fault = await measureInput(job.kind, input, bench);
    // What native code holds goes only when the loop turns.
    if (index % 20 === 0) await new Promise(setImmediate);
    // What collects over many inputs is nobody's fault.
    if (index % 100 === 0 && process.memoryUsage.rss() > 0.75 * MAX_RSS_BYTES) globalThis.gc?.();
    if (!fault) continue;
    if (!known.has(fault.signature)) {
      known.add(fault.signature);
      const isSmaller = job.minimises && fault.what === 'error';
      const smallest = isSmaller ? await minimise(job.kind, input, fault, bench) : input;
      const { kind } = job;
      tell({ finding: { ...fault, kind, index, input: Buffer.from(smallest).toString('base64') } });
    }
    if (fault.what === 'memory') return tell({ done: index + 1 });
  }
  tell({ done: job.to });
}
