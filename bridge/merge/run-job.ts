import { readFileSync } from 'node:fs';
import { layoutTensors } from '../../nodes/formats/safetensors/layout.ts';
import type { MergeJob } from '../../nodes/merge/job.ts';
import { openInputs } from './input-files.ts';
import { identifyJob } from './job-identity.ts';
import { type Made, type MakeOptions, type Making, startMaking } from './make-file.ts';
import { checkFits, memoryNeed } from './memory-need.ts';
import { type OutputFile, openOutput } from './output-file.ts';
import type { Plan } from './plan.ts';
import { planUnits } from './plan-units.ts';
import { withYoungHeapAsItIs } from './young-heap.ts';

export type JobOptions = MakeOptions & {
  /** The file to be made; one that is there is replaced at the end, in one step. */
  readonly out: string;
  /** Bytes that are made in one go; a multiple of 64. For tests: the result does not depend on it. */
  readonly unitBytes?: number;
};

export type JobResult = Made & { readonly bytes: number; readonly milliseconds: number };

/** Measured: with 256 KiB to 1 MiB of each input and of the output they keep to the second-level cache; from 8 MiB on it is 1.5 times slower. */
const UNIT_BYTES = 512 << 10;
const SMALLEST_UNIT_BYTES = 128 << 10;
/** What the inputs of one thread may take, where they are many. */
const INPUT_BYTES = 4 << 20;
const KERNELS = new URL('../../nodes/merge/kernels/kernels.wasm', import.meta.url);
/** Leaves 100 ms of the 250 for the journal and for threads that must be ended. */
const STOP_MS = 150;

/**
 * Makes the file of a job: reads, computes and writes in threads, in memory that does not grow with the models.
 *
 * The file appears under its name when all of it is there, or not at all. Where the run is stopped, or the process
 * killed, an unfinished file and its journal may stay beside it; the next run of the same job goes on from them, after
 * it has checked every byte, and one of another job removes them. Any other failure leaves nothing.
 *
 * @throws the reason of the signal; LineageError `file/missing`, `file/unreadable`, `file/unwritable`,
 *   `merge/not-finite`, `merge/memory`, `merge/dtype`, `merge/busy`, `merge/unknown-method`, `safetensors/layout`, and
 *   what methods and adapters say of their inputs
 */
export async function runJob(job: MergeJob, options: JobOptions): Promise<JobResult> {
  return withYoungHeapAsItIs(() => run(job, options));
}

async function run(job: MergeJob, options: JobOptions): Promise<JobResult> {
  const startedAt = performance.now();
  const { signal } = options;
  signal.throwIfAborted();
  const layout = layoutTensors(job.tensors, job.metadata);
  const unitBytes = options.unitBytes ?? chooseUnitBytes(job);
  const plan = planUnits(job.tensors, layout, unitBytes);
  checkMemory(plan, options.memoryBytes);
  const bytes = layout.header.length + layout.dataBytes;
  const isResumable = options.resumable !== false;

  const kernels = readFileSync(KERNELS);
  const inputs = openInputs(job.files);
  let output: OutputFile | undefined;
  let making: Making | undefined;
  try {
    const identity = isResumable ? identifyJob(job, inputs.identities, unitBytes, kernels) : undefined;
    output = await openOutput(options.out, layout.header, bytes, identity);
    making = startMaking(
      {
        plan,
        notFinite: job.notFinite,
        unitBytes,
        kernels,
        inputs: inputs.files,
        output,
        headerBytes: layout.header.length,
      },
      options,
    );
    const made = await making.finish();
    inputs.checkUnchanged();
    output.close();
    inputs.close();
    await output.publish(options.flush !== false);
    output.release();
    return { bytes, ...made, milliseconds: performance.now() - startedAt };
  } catch (error) {
    await making?.stop(STOP_MS);
    const gone = Promise.resolve(making?.gone).then(async () => {
      inputs.close();
      output?.close();
      if (!(signal.aborted && isResumable)) await output?.discard();
    });
    if (signal.aborted && isResumable) await making?.leaveResumable();
    output?.release(gone);
    // A thread may be long in what nothing interrupts, but whoever cancels need not wait for it.
    if (signal.aborted) throw signal.reason;
    await gone;
    throw error;
  }
}

/** Large enough to be few, small enough that all inputs of a unit stay in the cache. */
function chooseUnitBytes({ files }: MergeJob): number {
  const each = Math.floor(INPUT_BYTES / Math.max(1, files.length) / 4096) * 4096;
  return Math.max(SMALLEST_UNIT_BYTES, Math.min(UNIT_BYTES, each));
}

function checkMemory({ runs, names }: Plan, memoryBytes: number): void {
  for (const { recipe, first } of runs) {
    const name = names[first] ?? '';
    if (recipe.way === 'whole') checkFits(name, memoryNeed(name, recipe.value), memoryBytes);
  }
}
