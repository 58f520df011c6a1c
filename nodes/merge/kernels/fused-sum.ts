import type { Kernel } from '../../formats/kernels/bind-kernels.ts';
import type { Term } from '../method.ts';
import type { FloatKernels, KernelDtype, KernelOperand, SumCounts } from './kernels.ts';
import { ROW_BYTES, TABLE, TABLE_ROWS } from './layout.ts';
import { advance, inputOf } from './operand.ts';
import type { TiledSum } from './tiled-sum.ts';

/** Elements between two looks for values that the fused kernels cannot take; a multiple of `GROUP`. */
const CHUNK = 32_768;
/** Elements that a fused kernel takes at a time. */
const GROUP = 16;
const ROW_WORDS = ROW_BYTES / 4;

/** Without conversions of a processor, the kernels work on four times an F16: a product that is subnormal in float32 would be rounded otherwise. */
const HALF_LEAST_WEIGHT = 2 ** -90;
/** The part of F16 codes that is looked at for subnormals; and one of how many makes the steady kernel the quicker. */
const SAMPLED = 1 / 16;
const STEADY_FROM = 256;
/** Below the largest F16, 65504, by more than the roundings of a sum. */
const HALF_BOUND = 65_000;

/**
 * Makes the sums that never leave the registers: `w0 a + w1 (b - a) + w2 (c - a) ...` and `w0 a + w1 (b - c)` in
 * F32, F16 and BF16.
 *
 * @returns a sum that answers `undefined`, and has written nothing, where the terms or the format are others.
 */
export function createFusedSum(
  take: (name: string) => Kernel,
  takeHalf: ((name: string) => Kernel) | undefined,
  memory: WebAssembly.Memory,
  scratch: number,
  { countNotFinite, sumTiles }: { countNotFinite: FloatKernels['countNotFinite']; sumTiles: TiledSum },
) {
  const half = takeHalf && { around: takeHalf('sumAroundHalf'), difference: takeHalf('sumDifferenceHalf') };
  const kernels: Partial<Record<KernelDtype, { around: Kernel; difference: Kernel }>> = {
    F32: { around: take('sumAroundF32'), difference: take('sumDifferenceF32') },
    F16: half ?? { around: take('sumAroundF16'), difference: take('sumDifferenceF16') },
    BF16: { around: take('sumAroundBF16'), difference: take('sumDifferenceBF16') },
  };
  const steady = { around: take('sumAroundSteadyF16'), difference: take('sumDifferenceSteadyF16') };
  const sampleSubnormals = take('sampleSubnormalsF16');
  const largestF16 = take('largestF16');
  const rowNumbers = new Uint32Array(memory.buffer, scratch + TABLE, ROW_WORDS * TABLE_ROWS);
  const rowWeights = new Float32Array(memory.buffer, scratch + TABLE, ROW_WORDS * TABLE_ROWS);

  /** Whether the F16 codes are taken apart in integers, which has bounds that conversions of a processor have not. */
  const isBounded = (dtype: KernelDtype): boolean => dtype === 'F16' && !half;

  /** Whether so many inputs are subnormal that the steady kernel, which does not mind them, is the quicker one. */
  function hasSubnormals(parts: readonly KernelOperand[], count: number): boolean {
    const found = parts.reduce((sum, { at }) => sum + sampleSubnormals(at, count), 0);
    return found > (parts.length * count * SAMPLED) / STEADY_FROM;
  }

  /** Whether a result may be wrong or worth counting, after the kernel saw a value of 2 or more. */
  function isDoubtful(
    rows: readonly Row[],
    parts: readonly KernelOperand[],
    out: KernelOperand,
    count: number,
  ) {
    if (!isBounded(out.dtype)) return countNotFinite(out.dtype, out.at, count) > 0;
    const codes = parts.map(({ at }) => largestF16(at, count));
    return !isWithinHalf(rows, valueOfHalf(Math.max(...codes)));
  }

  return (
    terms: readonly Term[],
    inputs: readonly KernelOperand[],
    out: KernelOperand,
    count: number,
  ): SumCounts | undefined => {
    const kernel = kernels[out.dtype];
    const shape = shapeOf(terms);
    if (!kernel || !shape) return undefined;
    const { rows } = shape;
    if (isBounded(out.dtype) && !(rows.every(isHalfWeight) && isWithinHalf(rows, 2))) return undefined;
    rows.forEach(({ weight, isTurned }, row) => {
      rowWeights[ROW_WORDS * row + 1] = weight;
      rowNumbers[ROW_WORDS * row + 2] = isTurned ? 1 : 0;
    });
    const operands = rows.map(({ input }) => inputOf(inputs, input));
    const end = scratch + TABLE + ROW_BYTES * rows.length;

    let overflowed = 0;
    let nan = 0;
    let isClean = true;
    function sumPlainly(start: number, length: number): void {
      const parts = inputs.map((input) => advance(input, start));
      const found = sumTiles(terms, parts, advance(out, start), length);
      overflowed += found.overflowed;
      nan += found.nan;
      isClean = false;
    }
    const whole = count - (count % GROUP);
    for (let start = 0; start < whole; start += CHUNK) {
      const length = Math.min(CHUNK, whole - start);
      const parts = operands.map((operand) => advance(operand, start));
      parts.forEach(({ at }, row) => {
        rowNumbers[ROW_WORDS * row] = at;
      });
      const part = advance(out, start);
      const { around, difference } = isBounded(out.dtype) && hasSubnormals(parts, length) ? steady : kernel;
      const hasLarge =
        shape.kind === 'around'
          ? around(scratch, end, part.at, length)
          : difference(scratch, part.at, length);
      if (hasLarge !== 0 && isDoubtful(rows, parts, part, length)) sumPlainly(start, length);
    }
    if (whole < count) sumPlainly(whole, count - whole);
    return { overflowed, nan, isClean };
  };
}

/** An input with its weight as float32; turned: the first input less this one. */
type Row = { readonly input: number; readonly weight: number; readonly isTurned: boolean };

/** The rows of the table that a kernel reads; a minuend of its own has weight 0. */
function shapeOf(
  terms: readonly Term[],
): { kind: 'around' | 'difference'; rows: readonly Row[] } | undefined {
  const [first, ...others] = terms;
  if (!first || first.minus !== undefined || terms.length > TABLE_ROWS) return undefined;
  const rows = [toRow(first, first.plus, false)];
  for (const term of others) {
    const { plus, minus } = term;
    if (minus === first.plus) rows.push(toRow(term, plus, false));
    else if (minus !== undefined && plus === first.plus) rows.push(toRow(term, minus, true));
    else if (minus === undefined || others.length > 1) return undefined;
    else {
      const subtrahend = { input: minus, weight: 0, isTurned: false };
      return { kind: 'difference', rows: [...rows, toRow(term, plus, false), subtrahend] };
    }
  }
  return { kind: 'around', rows };
}

function toRow({ weight }: Term, input: number, isTurned: boolean): Row {
  return { input, weight: Math.fround(weight), isTurned };
}

function isHalfWeight({ weight }: Row): boolean {
  return weight === 0 || Math.abs(weight) >= HALF_LEAST_WEIGHT;
}

/** Whether the sum stays within F16 where no input is larger than `largest`; not where that is NaN. */
function isWithinHalf([first, ...others]: readonly Row[], largest: number): boolean {
  const weights = others.reduce(
    (sum, { weight }) => sum + 2 * Math.abs(weight),
    Math.abs(first?.weight ?? 0),
  );
  return weights * largest < HALF_BOUND;
}

/** Of a code that is 2 or more, without sign. */
function valueOfHalf(code: number): number {
  return code < 0x7c00 ? 2 ** ((code >> 10) - 15) * (1 + (code & 0x3ff) / 1024) : Number.NaN;
}
