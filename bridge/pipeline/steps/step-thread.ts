/** A thread that measures tensors and takes differences apart, one task after the other. */
import { parentPort } from 'node:worker_threads';
import { countElements } from '../../../nodes/formats/safetensors/dtypes.ts';
import { factorDifference } from '../../../nodes/lora/extract.ts';
import { frobeniusNorm } from '../../../nodes/lora/linear-algebra/matrix.ts';
import { roundingError } from '../../../nodes/lora/rounding-error.ts';
import { addSums, emptySums, measureTile, type Sums } from '../../../nodes/pipeline/measure-tile.ts';
import { failureOf } from '../../local/thread-failure.ts';
import { createTensorReader } from '../side-files.ts';
import type { FromThread, ThreadResult, ThreadTask } from './step-thread-messages.ts';

/** Elements that are looked at in one go: fixed, so that sums are always taken in the same order. */
const TILE = 1 << 16;

const reader = createTensorReader();

function measure({ models, base }: Extract<ThreadTask, { kind: 'measure' }>): Sums {
  const size = countElements(models[0]?.shape ?? []);
  let sums = emptySums(models.length, base !== undefined);
  for (let start = 0; start < size; start += TILE) {
    const read = (tensor: (typeof models)[number]): Float32Array => {
      const tile = new Float32Array(Math.min(TILE, size - start));
      reader.read(tensor, start, tile);
      return tile;
    };
    sums = addSums(sums, measureTile(models.map(read), base && read(base)));
  }
  return sums;
}

function extract({ tuned, base, rank, dtype }: Extract<ThreadTask, { kind: 'extract' }>): ThreadResult {
  const whole = (tensor: typeof tuned) => ({ shape: tensor.shape, data: reader.whole(tensor) });
  const [mine, theirs] = [whole(tuned), whole(base)];
  const { lora, error } = factorDifference(mine, theirs, { rule: { by: 'rank', rank } });
  const norm = frobeniusNorm(Float64Array.from(mine.data, (value, i) => value - (theirs.data[i] ?? 0)));
  // What the rank leaves out and what rounding changes of the rest are at right angles.
  return { kind: 'extracted', lora, error: Math.hypot(error, roundingError(lora, dtype)), norm };
}

function answer(task: ThreadTask): FromThread {
  try {
    const result: ThreadResult =
      task.kind === 'measure' ? { kind: 'measured', sums: measure(task) } : extract(task);
    return { kind: 'done', result };
  } catch (error) {
    return failureOf(error);
  }
}

parentPort?.on('message', (task: ThreadTask) => parentPort?.postMessage(answer(task)));
