import { floatBytes, isFloat } from '../../../nodes/formats/floats.ts';
import { countElements } from '../../../nodes/formats/safetensors/dtypes.ts';
import { findArchitecture } from '../../../nodes/merge/architectures/find.ts';
import { gatherBlocks, type MeasuredModels } from '../../../nodes/pipeline/measure-blocks.ts';
import { emptySums, type Sums } from '../../../nodes/pipeline/measure-tile.ts';
import type { SideModel, SideTensor } from '../side-task.ts';
import { alignModels } from './align-models.ts';
import { runInThreads, type ThreadOptions } from './step-threads.ts';

/** What was measured of models, and what could not be compared. */
export type Measured = MeasuredModels & {
  /** Names of floats that not all models, and the base, have in one shape. */
  readonly unmatched: readonly string[];
};

export type MeasureOptions = ThreadOptions & {
  /** Bytes of the inputs that are done, of all. */
  readonly onProgress?: (done: number, total: number) => void;
};

/** A tensor in all models, and in the base where there is one. */
export type Row = {
  readonly name: string;
  readonly models: readonly SideTensor[];
  readonly base?: SideTensor;
};

/**
 * Measures models tile by tile, a tensor to a thread at a time: memory holds a few tiles, whatever their size. Names
 * of other key spaces are understood.
 *
 * @param models at least one; the first one's architecture counts.
 * @throws LineageError `file/unreadable`; the reason of the signal
 */
export async function measureModels(
  models: readonly SideModel[],
  base: SideModel | undefined,
  options: MeasureOptions,
): Promise<Measured> {
  const family = models[0]?.family;
  const architecture = family === undefined ? undefined : findArchitecture(family);
  const aligned = alignModels(base ? [...models, base] : models, architecture);
  const { rows, unmatched } = matchTensors(aligned, base !== undefined);
  const sums = await measureRows(rows, options);
  const tensors = rows.map(({ name }, at) => ({ name, sums: sums[at] ?? emptySums(models.length, !!base) }));
  return { ...gatherBlocks(tensors, architecture, emptySums(models.length, base !== undefined)), unmatched };
}

/** @param aligned the base last, where there is one. */
export function matchTensors(
  aligned: readonly ReadonlyMap<string, SideTensor>[],
  hasBase: boolean,
): { readonly rows: readonly Row[]; readonly unmatched: readonly string[] } {
  const rows: Row[] = [];
  const unmatched: string[] = [];
  for (const name of new Set(aligned.flatMap((tensors) => [...tensors.keys()]))) {
    const held = aligned.flatMap((tensors) => tensors.get(name) ?? []);
    if (!held.some(({ dtype }) => isFloat(dtype))) continue;
    const isAlike = held.every(
      ({ dtype, shape }) => isFloat(dtype) && String(shape) === String(held[0]?.shape),
    );
    const base = hasBase ? held.at(-1) : undefined;
    if (held.length < aligned.length || !isAlike) unmatched.push(name);
    else rows.push({ name, models: hasBase ? held.slice(0, -1) : held, ...(base && { base }) });
  }
  return { rows, unmatched };
}

/** The sums of each row, in their order. */
export async function measureRows(rows: readonly Row[], options: MeasureOptions): Promise<readonly Sums[]> {
  const sizes = rows.map(({ models, base }) =>
    [...models, ...(base ? [base] : [])].reduce((sum, tensor) => sum + bytesOf(tensor), 0),
  );
  const total = sizes.reduce((sum, size) => sum + size, 0);
  // The largest first, so that no thread is left with one at the end.
  const order = [...rows.keys()].sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0) || a - b);
  const sums: Sums[] = [];
  let done = 0;
  await runInThreads(
    order.flatMap((at) => {
      const { name: _, ...task } = rows[at] ?? { name: '', models: [] };
      return [{ kind: 'measure' as const, ...task }];
    }),
    (result, task) => {
      const at = order[task] ?? 0;
      if (result.kind === 'measured') sums[at] = result.sums;
      done += sizes[at] ?? 0;
      options.onProgress?.(done, total);
    },
    options,
  );
  return sums;
}

function bytesOf({ dtype, shape }: SideTensor): number {
  return isFloat(dtype) ? countElements(shape) * floatBytes(dtype) : 0;
}
