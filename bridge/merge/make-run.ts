import { floatBytes, isFloat } from '../../nodes/formats/floats.ts';
import { bitsOf } from '../../nodes/formats/safetensors/dtypes.ts';
import type { FloatKernels } from '../../nodes/merge/kernels/kernels.ts';
import type { DamageCount } from './damage.ts';
import type { Unit } from './plan.ts';
import type { Elementwise, Recipe } from './recipe.ts';
import { bufferAt, type Samples } from './samples.ts';
import type { Share } from './shared-state.ts';

/** What making a unit needs of its thread. */
export type Workbench = {
  readonly share: Share;
  readonly kernels: FloatKernels;
  readonly samples: Samples;
  /** The memory of the kernels. */
  readonly memory: Uint8Array;
};

/**
 * Makes one unit of a run in a slot.
 *
 * @param skip bytes from the start of the run to the unit.
 * @param out address of the slot.
 */
export function makeOfRun(
  bench: Workbench,
  { run: { recipe }, bytes }: Unit,
  skip: number,
  out: number,
  damage: DamageCount,
): void {
  if (recipe.way === 'copy') copy(bench, recipe, skip, bytes, out, damage);
  else if (recipe.way === 'fused') fuse(bench, recipe, skip, bytes, out, damage);
  else if (recipe.way === 'elementwise') compute(bench, recipe, skip, bytes, out, damage);
  else throw new Error('a tensor that is made as a whole is no run');
}

type Of<W extends Recipe['way']> = Extract<Recipe, { way: W }>;

function copy(
  { samples, kernels, memory }: Workbench,
  { from, dtype }: Of<'copy'>,
  skip: number,
  bytes: number,
  out: number,
  damage: DamageCount,
): void {
  samples.load(from, skip, bytes, out);
  if (!isFloat(dtype)) return;
  const size = floatBytes(dtype);
  const begin = skip / size;
  damage.copied(begin, bytes / size, (start, count) => {
    const at = out + (start - begin) * size;
    return dtype === 'F64' ? countIn64(memory, at, count) : kernels.countNotFinite(dtype, at, count);
  });
}

function countIn64(memory: Uint8Array, at: number, count: number): number {
  return new Float64Array(memory.buffer, at, count).reduce(
    (sum, x) => (Number.isFinite(x) ? sum : sum + 1),
    0,
  );
}

/** All inputs and the output have one type: the kernel decodes, sums and encodes in one pass. */
function fuse(
  bench: Workbench,
  { dtype, sum }: Of<'fused'>,
  skip: number,
  bytes: number,
  out: number,
  damage: DamageCount,
): void {
  const { samples, kernels, share } = bench;
  const size = floatBytes(dtype);
  const begin = skip / size;
  const count = bytes / size;
  const inputs = sum.inputs.map((input, i) => {
    const to = bufferAt(share, i);
    samples.load(input, skip, bytes, to);
    return to;
  });
  const run = (start: number, length: number) => {
    const ahead = (start - begin) * size;
    return kernels.sumTerms(
      dtype,
      sum.terms,
      inputs.map((at) => at + ahead),
      out + ahead,
      length,
    );
  };
  const all = run(begin, count);
  if (!all.isClean && inputs.some((at) => kernels.countNotFinite(dtype, at, count) > 0)) {
    // Rare, and to be told of input by input.
    compute(bench, { way: 'elementwise', dtype, value: sum }, skip, bytes, out, damage);
  } else damage.made(begin, count, all, run);
}

/** In parts, since float32 takes more room than the types of models. */
function compute(
  bench: Workbench,
  { dtype, value }: Of<'elementwise'>,
  skip: number,
  bytes: number,
  out: number,
  damage: DamageCount,
): void {
  const size = bitsOf(dtype) / 8;
  const end = (skip + bytes) / size;
  for (let start = skip / size; start < end; start += bench.samples.longest) {
    const count = Math.min(bench.samples.longest, end - start);
    const to = (from: number): number => out + (from * size - skip);
    const all = computePart(bench, dtype, value, start, count, to(start), damage.found);
    // What is not finite was counted already.
    damage.made(start, count, all, (from, length) =>
      computePart(bench, dtype, value, from, length, to(from), () => undefined),
    );
  }
}

function computePart(
  { samples }: Workbench,
  dtype: Of<'elementwise'>['dtype'],
  value: Elementwise,
  start: number,
  count: number,
  out: number,
  found: DamageCount['found'],
) {
  if (dtype !== 'F64' && value.kind === 'sum')
    return samples.sum(value, start, count, { dtype, at: out }, found);
  return samples.encode(dtype, samples.floats(value, start, count, found), out, count);
}
