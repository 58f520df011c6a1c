import type { EncodeCounts, FloatDtype } from '../../formats/floats.ts';
import { bindKernels } from '../../formats/kernels/bind-kernels.ts';
import type { Term } from '../method.ts';
import { createFusedSum } from './fused-sum.ts';
import { COUNTS, SCRATCH } from './layout.ts';
import { createTiledSum } from './tiled-sum.ts';
import { variantsOf } from './variants.ts';

/** What the kernels compute with; F64 is left to the plain twins. */
export type KernelDtype = Exclude<FloatDtype, 'F64'>;

/** Elements in the shared memory, at any byte. */
export type KernelOperand = { readonly dtype: KernelDtype; readonly at: number };

/**
 * Conversions and sums of model floats in shared memory. Addresses are bytes from its start, without alignment;
 * counts are elements; what is written overlaps nothing that is read. Every result equals that of the plain twins
 * (`decodeFloats`, `encodeFloats`, `sumTerms`) bit for bit, but NaNs: one that is encoded becomes positive, quiet
 * and without payload, since those of arithmetic differ between processors.
 */
export type FloatKernels = {
  /** Floats of a format at `from` to float32 at `to`. */
  decode(dtype: KernelDtype, from: number, to: number, count: number): void;
  /** Float32 at `from` to a format at `to`, rounded to nearest even, to Inf (F8_E4M3: NaN) beyond the range. */
  encode(dtype: KernelDtype, from: number, to: number, count: number): EncodeCounts;
  /** How many are NaN or infinite. */
  countNotFinite(dtype: KernelDtype, at: number, count: number): number;
  /**
   * Inputs and output of one format.
   * @param inputs addresses of the models, then of the base if there is one.
   */
  sumTerms(
    dtype: KernelDtype,
    terms: readonly Term[],
    inputs: readonly number[],
    out: number,
    count: number,
  ): SumCounts;
  /** Inputs and output of any formats. @param inputs the models, then the base if there is one. */
  sumTermsMixed(
    terms: readonly Term[],
    inputs: readonly KernelOperand[],
    out: KernelOperand,
    count: number,
  ): SumCounts;
  /** Of one run of bytes at a time. */
  readonly checksum: Checksum;
};

export type SumCounts = EncodeCounts & {
  /** Nothing that went in or came out is NaN or infinite. Where this is false, something may be. */
  readonly isClean: boolean;
};

/** Tells bytes from others by 32 bits, as quickly as they can be read. Not for adversaries. */
type Checksum = {
  begin(): void;
  /** Any number of bytes; the parts that they come in make no difference. */
  add(at: number, bytes: number): void;
  /** @returns 0 to 2^32 - 1 */
  end(): number;
};

/** Bytes of shared memory that each thread's kernels have for themselves. */
export const SCRATCH_BYTES = SCRATCH;

/**
 * Makes the kernels of one thread.
 *
 * @param compiled from `kernels.wasm`.
 * @param memory shared, 65,536 pages at most; no operand reaches into the last 64 bytes of 4 GiB.
 * @param scratch where `SCRATCH_BYTES` begin that nobody else touches; a multiple of 64.
 * @param half compiled from `half-kernels.wasm`, where the processor converts F16 itself: the same results, quicker.
 * @throws RangeError for a scratch block that is not aligned or not within the memory
 */
export function createKernels(
  compiled: WebAssembly.Module,
  memory: WebAssembly.Memory,
  scratch: number,
  half?: WebAssembly.Module,
): FloatKernels {
  if (scratch % 64 !== 0 || scratch + SCRATCH > memory.buffer.byteLength)
    throw new RangeError(`expected ${SCRATCH} bytes at a multiple of 64 within the memory, got ${scratch}`);
  const take = bindKernels(compiled, memory);
  take('prepare')(scratch);
  const takeHalf = half && bindKernels(half, memory);
  const decoders = { ...variantsOf(take, 'decode'), ...(takeHalf && { F16: takeHalf('decodeHalf') }) };
  const encoders = variantsOf(take, 'encode');
  const counters = variantsOf(take, 'countNotFinite');
  const counts = new Uint32Array(memory.buffer, scratch + COUNTS, 2);

  function decode(dtype: KernelDtype, from: number, to: number, count: number): void {
    decoders[dtype](scratch, from, to, count);
  }
  function encode(dtype: KernelDtype, from: number, to: number, count: number): EncodeCounts {
    encoders[dtype](scratch, from, to, count);
    return { overflowed: counts[0] ?? 0, nan: counts[1] ?? 0 };
  }
  function countNotFinite(dtype: KernelDtype, at: number, count: number): number {
    return counters[dtype](scratch, at, count) >>> 0;
  }

  const sumTiles = createTiledSum(take, scratch, { decode, encode });
  const sumFused = createFusedSum(take, takeHalf, memory, scratch, { countNotFinite, sumTiles });

  function sumTermsMixed(
    terms: readonly Term[],
    inputs: readonly KernelOperand[],
    out: KernelOperand,
    count: number,
  ): SumCounts {
    const isUniform = inputs.every(({ dtype }) => dtype === out.dtype);
    const fused = isUniform ? sumFused(terms, inputs, out, count) : undefined;
    return fused ?? { ...sumTiles(terms, inputs, out, count), isClean: false };
  }

  const [beginChecksum, addToChecksum, endChecksum] = [
    take('beginChecksum'),
    take('addToChecksum'),
    take('endChecksum'),
  ];

  return {
    decode,
    encode,
    countNotFinite,
    sumTermsMixed,
    checksum: {
      begin: () => void beginChecksum(scratch),
      add: (at, bytes) => void addToChecksum(scratch, at, bytes),
      end: () => endChecksum(scratch) >>> 0,
    },
    sumTerms: (dtype, terms, inputs, out, count) =>
      sumTermsMixed(
        terms,
        inputs.map((at) => ({ dtype, at })),
        { dtype, at: out },
        count,
      ),
  };
}
