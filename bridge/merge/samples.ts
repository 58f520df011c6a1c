import { readSync } from 'node:fs';
import {
  decodeFloats,
  type EncodeCounts,
  encodeFloats,
  type FloatDtype,
  floatBytes,
  isFloat,
} from '../../nodes/formats/floats.ts';
import { bitsOf } from '../../nodes/formats/safetensors/dtypes.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { MergeJob } from '../../nodes/merge/job.ts';
import type { FloatKernels, KernelOperand } from '../../nodes/merge/kernels/kernels.ts';
import { reasonOf } from '../local/system-error.ts';
import type { Elementwise, Leaf, Sum } from './recipe.ts';
import { checkStop, type Share, type SharedState } from './shared-state.ts';

export type InputFile = { readonly file: number; readonly path: string };

/** Is told of elements `start` to `start + count` of a leaf, some of them NaN or infinite; in float32 at an address. */
export type FoundNotFinite = (leaf: Leaf, start: number, count: number, at: number) => void;

/**
 * The reading half of a thread: elements of inputs in the memory of the kernels. Addresses are bytes in that memory;
 * what is there lasts until the next call that uses the same buffer.
 */
export type Samples = {
  /** Elements that every buffer holds in any type. */
  readonly longest: number;
  /** Reads bytes of a leaf, as they are, to an address. */
  load(leaf: Leaf, skip: number, bytes: number, to: number): void;
  /**
   * Computes a sum to `out`; its inputs take buffers from `buffer` on.
   * @param found is called for every leaf that has some.
   */
  sum(
    sum: Sum,
    start: number,
    count: number,
    out: KernelOperand,
    found: FoundNotFinite,
    buffer?: number,
  ): EncodeCounts;
  /** Elements in float32, in the first buffer. */
  floats(value: Elementwise, start: number, count: number, found: FoundNotFinite): number;
  /** The same, to an address that is in no buffer. */
  floatsTo(value: Elementwise, start: number, count: number, to: number, found: FoundNotFinite): void;
  /** Encodes float32 from one address to another. */
  encode(dtype: FloatDtype, from: number, to: number, count: number): EncodeCounts;
  /** The float32 elements at an address: a view, not a copy. */
  view(at: number, count: number): Float32Array;
};

const WIDEST_BYTES = 8;

export function createSamples(
  state: Pick<SharedState, 'memory' | 'cells'>,
  share: Share,
  kernels: FloatKernels,
  files: readonly InputFile[],
  notFinite: MergeJob['notFinite'],
): Samples {
  const memory = new Uint8Array(state.memory.buffer);

  function load(leaf: Leaf, skip: number, bytes: number, to: number): void {
    checkStop(state);
    if (leaf.kind === 'constant') memory.set(leaf.bytes.subarray(skip, skip + bytes), to);
    else readFully(files[leaf.file], memory, to, leaf.offset + skip, bytes);
  }

  function loadElements(leaf: Leaf, start: number, count: number, to: number): void {
    const size = bitsOf(leaf.dtype) / 8;
    load(leaf, start * size, count * size, to);
  }

  function view(at: number, count: number): Float32Array {
    return new Float32Array(state.memory.buffer, at, count);
  }

  /** Brings a leaf to an address in float32; gives how many are NaN or infinite, which is quicker to see in its own type. */
  function countAndDecode(leaf: Leaf, start: number, count: number, to: number): number {
    const { dtype } = leaf;
    const from = dtype === 'F32' ? to : share.spare;
    loadElements(leaf, start, count, from);
    if (dtype === 'F64') {
      decodeFloats(dtype, memory.subarray(from, from + count * 8), view(to, count));
    } else if (isFloat(dtype) && dtype !== 'F32') {
      kernels.decode(dtype, from, to, count);
      return kernels.countNotFinite(dtype, from, count);
    }
    return kernels.countNotFinite('F32', to, count);
  }

  /** Brings a leaf to an address in float32; NaN and infinities are dealt with. */
  function decode(leaf: Leaf, start: number, count: number, to: number, found: FoundNotFinite): void {
    if (countAndDecode(leaf, start, count, to) === 0) return;
    found(leaf, start, count, to);
    if (notFinite === 'zero') zeroNotFinite(view(to, count));
  }

  /** A leaf in the type it has where it is finite: the kernel decodes it as it sums. */
  function bring(leaf: Leaf, start: number, count: number, to: number, found: FoundNotFinite): KernelOperand {
    const { dtype } = leaf;
    if (dtype !== 'F64' && dtype !== 'F32' && isFloat(dtype)) {
      loadElements(leaf, start, count, to);
      if (kernels.countNotFinite(dtype, to, count) === 0) return { dtype, at: to };
    }
    decode(leaf, start, count, to, found);
    return { dtype: 'F32', at: to };
  }

  function sum(
    { terms, inputs }: Sum,
    start: number,
    count: number,
    out: KernelOperand,
    found: FoundNotFinite,
    buffer = 0,
  ): EncodeCounts {
    const operands = inputs.map((input, i): KernelOperand => {
      const to = bufferAt(share, buffer + i);
      if (input.kind !== 'sum') return bring(input, start, count, to, found);
      const inner: KernelOperand = { dtype: 'F32', at: to };
      sum(input, start, count, inner, found, buffer + inputs.length);
      return inner;
    });
    return kernels.sumTermsMixed(terms, operands, out, count);
  }

  return {
    longest: Math.floor(share.bytes / WIDEST_BYTES),
    load,
    sum,
    floats(value, start, count, found) {
      const to = bufferAt(share, 0);
      if (value.kind !== 'sum') {
        decode(value, start, count, to, found);
        return to;
      }
      sum(value, start, count, { dtype: 'F32', at: share.spare }, found);
      memory.copyWithin(to, share.spare, share.spare + 4 * count);
      return to;
    },
    floatsTo(value, start, count, to, found) {
      if (value.kind !== 'sum') decode(value, start, count, to, found);
      else sum(value, start, count, { dtype: 'F32', at: to }, found);
    },
    encode(dtype, from, to, count) {
      if (dtype !== 'F64') return kernels.encode(dtype, from, to, count);
      return encodeFloats(dtype, view(from, count), memory.subarray(to, to + count * floatBytes(dtype)));
    },
    view,
  };
}

export function bufferAt({ buffers }: Share, index: number): number {
  const at = buffers[index];
  if (at === undefined) throw new Error(`no buffer ${index}`);
  return at;
}

function zeroNotFinite(elements: Float32Array): void {
  for (let i = 0; i < elements.length; i++) if (!Number.isFinite(elements[i])) elements[i] = 0;
}

function readFully(
  input: InputFile | undefined,
  memory: Uint8Array,
  to: number,
  at: number,
  bytes: number,
): void {
  if (!input) throw new Error('a tensor of a file that is not in the list');
  let done = 0;
  try {
    while (done < bytes) {
      const read = readSync(input.file, memory, to + done, bytes - done, at + done);
      if (read === 0) throw new Error(`the file ends at ${at + done}`);
      done += read;
    }
  } catch (error) {
    const message = `expected ${bytes} bytes at ${at}, got: ${reasonOf(error)}`;
    throw new LineageError('file/unreadable', message, { file: input.path, byte: at }, { cause: error });
  }
}
