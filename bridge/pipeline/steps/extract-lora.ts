import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { encodeFloats } from '../../../nodes/formats/floats.ts';
import { countElements } from '../../../nodes/formats/safetensors/dtypes.ts';
import { layoutTensors } from '../../../nodes/formats/safetensors/layout.ts';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { writeLora } from '../../../nodes/lora/write-lora.ts';
import { findArchitecture } from '../../../nodes/merge/architectures/find.ts';
import { makeKeyMap } from '../../../nodes/merge/architectures/key-spaces.ts';
import { widthsOf } from '../../../nodes/merge/architectures/widths.ts';
import { type LoraTarget, listLoraTargets } from '../../../nodes/pipeline/lora-targets.ts';
import { pairIndex, type Sums } from '../../../nodes/pipeline/measure-tile.ts';
import { unwritable } from '../../local/write-file.ts';
import type { SideFile, SideModel, SideResult, SideTensor } from '../side-task.ts';
import { alignModels, rowsOfTensor } from './align-models.ts';
import { type MeasureOptions, matchTensors, measureRows, type Row } from './measure-models.ts';
import { runInThreads } from './step-threads.ts';

/** An extraction, and what is not in it. */
export type ExtractedLora = SideResult & {
  readonly modules: number;
  /** ‖difference - LoRA‖ / ‖difference‖ in the Frobenius norm, over all weights that it changes, as it is stored. */
  readonly relativeError: number;
  /** The module with the largest error of its own. */
  readonly worst: { readonly module: string; readonly relativeError: number };
};

/** What to extract, of what, and where to. */
export type LoraExtraction = {
  readonly model: SideModel;
  readonly base: SideModel;
  /** At least 1; a weight has no more than its shorter side. */
  readonly rank: number;
  readonly dtype: 'F32' | 'F16' | 'BF16';
  readonly out: SideFile;
};

/** Text encoders that differ by no more are taken for the same, as sd-scripts has it (its `--min_diff`). */
const SAME_ENCODER = 0.01;

type Pair = LoraTarget & { readonly tuned: SideTensor; readonly base: SideTensor; readonly rank: number };

/**
 * Extracts a LoRA of the difference of two models: kohya's names, α of each module its rank. Both models are read
 * once to see what differs, and the weights that do a second time, a weight to a thread.
 *
 * Weights that are the same get no module. Tensors that differ and have none are in `left`: biases, norms, embeddings,
 * VAEs, and the text encoders where no element of theirs differs by more than 0.01.
 *
 * @returns the file is written and flushed under the name that the task gives, not sealed.
 * @throws LineageError `pipeline/part` for unknown architectures, and where nothing differs that a LoRA can change;
 *   `lora/not-finite`, `file/unreadable`, `file/unwritable`; the reason of the signal
 */
export async function extractLora(
  { model, base, rank, dtype, out }: LoraExtraction,
  options: MeasureOptions,
): Promise<ExtractedLora> {
  if (model.family === undefined)
    throw new LineageError('pipeline/part', `expected a model of a known architecture, got ${model.label}`);
  const architecture = findArchitecture(model.family);
  const [mine = new Map(), theirs = new Map()] = alignModels([model, base], architecture);
  const keys = makeKeyMap(architecture, widthsOf(architecture, mine));
  const { rows, unmatched } = matchTensors([mine, theirs], true);
  const sums = await measureRows(rows, { ...options, onProgress: half(options, 0) });
  const changed = rows.flatMap((row, at) => {
    const found = sums[at];
    return found && isChanged(row, found) ? [{ row, sums: found }] : [];
  });
  const all = changed.map(({ row, sums: found }) => {
    const name = row.name.replace(/\[\d+:\d+\]$/, '');
    const targets = (row.base?.shape.length ?? 0) < 2 ? [] : listLoraTargets(name, architecture, keys);
    // Of a weight that is in pieces already, the piece has one target, and no rows of its own.
    const isPiece = name !== row.name;
    const wanted = isPiece
      ? targets.filter(({ rows: part }) => row.name === `${name}[${part?.join(':')}]`)
      : targets;
    return { row, sums: found, pairs: wanted.map((target) => pairOf(row, target, isPiece, rank)) };
  });
  const isEncoder = ({ pairs }: (typeof all)[number]): boolean => pairs[0]?.part === 'text-encoder';
  const encoderChange = Math.max(
    0,
    ...all.filter(isEncoder).map((each) => each.sums.models[0]?.largest ?? 0),
  );
  const kept = all.filter(
    (each) => each.pairs.length > 0 && (!isEncoder(each) || encoderChange > SAME_ENCODER),
  );
  const pairs = kept.flatMap((each) => each.pairs);
  if (pairs.length === 0) {
    const expected = `weights that a LoRA can change to differ between ${model.label} and ${base.label}`;
    throw new LineageError('pipeline/part', `expected ${expected}, got none`);
  }
  const square = kept.reduce((sum, each) => sum + (each.sums.products[pairIndex(0, 0)] ?? 0), 0);
  const written = await writePairs(pairs, dtype, out, { ...options, onProgress: half(options, 1) });
  const lost = all.filter((each) => !kept.includes(each)).map(({ row }) => row.name);
  const [modules, relativeError] = [pairs.length, Math.sqrt(written.errorSquare / square)];
  const { module, relative } = written.worst;
  return {
    ...written.file,
    left: [...lost, ...unmatched],
    found: {
      scores: { modules, relative_error: relativeError, worst_error: relative, worst_module: module },
    },
    modules,
    relativeError,
    worst: { module, relativeError: relative },
  };
}

/** The first or the second half of the way. */
function half({ onProgress }: MeasureOptions, which: 0 | 1): (done: number, total: number) => void {
  return (done, total) => onProgress?.(which * total + done, 2 * total);
}

function isChanged({ name, base }: Row, { compared, elements, models }: Sums): boolean {
  if (compared < elements)
    throw new LineageError(
      'lora/not-finite',
      `expected finite numbers, got ${elements - compared} that are not in ${JSON.stringify(name)}`,
      base ? { file: base.file } : {},
    );
  return (models[0]?.largest ?? 0) > 0;
}

function pairOf(row: Row, target: LoraTarget, isPiece: boolean, most: number): Pair {
  const [tuned] = row.models;
  if (!tuned || !row.base) throw new Error('a weight without its base');
  const cut = (tensor: SideTensor): SideTensor =>
    target.rows && !isPiece ? rowsOfTensor(tensor, target.rows) : tensor;
  const [out = 1, ...rest] = cut(tuned).shape;
  const rank = Math.max(1, Math.min(most, out, countElements(rest)));
  return { ...target, tuned: cut(tuned), base: cut(row.base), rank };
}

/** What `writeLora` makes of a module, before there are numbers. */
function shapesOf({ target, tuned, rank }: Pair, dtype: 'F32' | 'F16' | 'BF16') {
  const [out = 1, inner = 1, ...kernel] = tuned.shape;
  return [
    { name: `${target}.lora_down.weight`, dtype, shape: [rank, inner, ...kernel] },
    { name: `${target}.lora_up.weight`, dtype, shape: [out, rank, ...kernel.map(() => 1)] },
    { name: `${target}.alpha`, dtype: 'F32', shape: [] },
  ] as const;
}

async function writePairs(
  pairs: readonly Pair[],
  dtype: 'F32' | 'F16' | 'BF16',
  { path, metadata }: SideFile,
  options: MeasureOptions,
) {
  const layout = layoutTensors(
    pairs.flatMap((pair) => shapesOf(pair, dtype)),
    metadata,
  );
  // The time that a weight takes grows faster than its size.
  const order = [...pairs].sort((a, b) => countElements(b.tuned.shape) - countElements(a.tuned.shape));
  const total = pairs.reduce((sum, { tuned }) => sum + countElements(tuned.shape), 0);
  const errors: { readonly module: string; readonly square: number; readonly relative: number }[] = [];
  let done = 0;
  const file = await orUnwritable(path, () => open(path, 'w'));
  try {
    await orUnwritable(path, () => writeAll(file, layout.header, 0));
    await runInThreads(
      order.map(({ tuned, base, rank }) => ({ kind: 'extract' as const, tuned, base, rank, dtype })),
      async (result, task) => {
        const pair = order[task];
        if (!pair || result.kind !== 'extracted') return;
        for (const { name, data, dtype: stored } of writeLora(
          [{ ...pair, lora: result.lora }],
          'kohya',
          dtype,
        )) {
          const info = layout.tensors.get(name);
          if (!info) throw new Error(`no place for ${name}`);
          const bytes = new Uint8Array(info.end - info.begin);
          encodeFloats(stored, data, bytes);
          await orUnwritable(path, () => writeAll(file, bytes, layout.header.length + info.begin));
        }
        const { error, norm } = result;
        errors[task] = {
          module: pair.target,
          square: error ** 2,
          relative: norm === 0 ? 0 : error / norm,
        };
        done += countElements(pair.tuned.shape);
        options.onProgress?.(done, total);
      },
      options,
    );
    await orUnwritable(path, () => file.sync());
  } finally {
    await file.close();
  }
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { start: layout.header.length, signal: options.signal }))
    hash.update(chunk);
  const bytes = layout.header.length + layout.dataBytes;
  return {
    file: { bytes, header: layout.header, dataSha256: hash.digest('hex') },
    // Added in the order of the tasks, whichever was ready first.
    errorSquare: errors.reduce((sum, { square }) => sum + square, 0),
    worst: errors.reduce((most, each) => (each.relative > most.relative ? each : most)),
  };
}

async function writeAll(file: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.length; )
    done += (await file.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
}

async function orUnwritable<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unwritable(path, error);
  }
}
