import { type FileHandle, open } from 'node:fs/promises';
import { isFloat } from '../../nodes/formats/floats.ts';
import type { Dtype } from '../../nodes/formats/safetensors/dtypes.ts';
import { addUlps, compareFloats, NO_ULPS, type UlpCounts } from '../../nodes/formats/ulps.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { reasonOf } from '../local/system-error.ts';
import { openWeights, type Weights } from '../merge/open-weights.ts';

/** What sets one tensor of two models apart. Of what is no float, elements are bytes, and there are no steps. */
export type ComparedTensor = UlpCounts & { readonly name: string; readonly dtype: Dtype };

/** What sets two models apart. */
export type ComparedWeights = {
  /** Tensors of one name, type and shape in both. */
  readonly tensors: number;
  readonly elements: number;
  readonly different: number;
  readonly nan: number;
  /** The largest distance of two floats, in steps of the type that they are stored in. */
  readonly largestUlps: number;
  /** The tensors that differ, those with the largest distance first. */
  readonly differing: readonly ComparedTensor[];
  readonly onlyInFirst: readonly string[];
  readonly onlyInSecond: readonly string[];
  /** Tensors of another type or shape: there is no distance between them. */
  readonly unlike: readonly string[];
};

/** Read of each file at a time; a multiple of every element's size. Memory holds two of these, whatever is compared. */
const CHUNK_BYTES = 1 << 22;

/**
 * Compares two models element by element, as they are stored.
 *
 * @param first a safetensors file, or the index of one in shards; `second` alike.
 * @throws LineageError as `openWeights`; `file/unreadable`; the reason of the signal
 */
export async function compareWeights(
  first: string,
  second: string,
  signal: AbortSignal,
): Promise<ComparedWeights> {
  const [a, b] = [await openWeights(first), await openWeights(second)];
  const [mine, theirs] = [[...a.tensors.keys()], [...b.tensors.keys()]];
  const shared = mine.filter((name) => b.tensors.has(name));
  const unlike: string[] = [];
  const compared: ComparedTensor[] = [];
  const readers = [createReader(a), createReader(b)] as const;
  try {
    for (const name of shared) {
      const [one, other] = [a.tensors.get(name), b.tensors.get(name)];
      if (!one || one.dtype !== other?.dtype || String(one.shape) !== String(other.shape)) unlike.push(name);
      else compared.push({ name, dtype: one.dtype, ...(await compareTensor(name, one, readers, signal)) });
    }
  } finally {
    for (const reader of readers) await reader.close();
  }
  const differing = compared.filter(({ different }) => different > 0);
  const { elements, different, nan, largest } = compared.reduce(addUlps, NO_ULPS);
  return {
    ...{ tensors: compared.length, elements, different, nan, largestUlps: largest },
    differing: differing.toSorted((x, y) => y.largest - x.largest || y.different - x.different),
    onlyInFirst: mine.filter((name) => !b.tensors.has(name)),
    onlyInSecond: theirs.filter((name) => !a.tensors.has(name)),
    unlike,
  };
}

type Reader = ReturnType<typeof createReader>;

async function compareTensor(
  name: string,
  { dtype, bytes }: { readonly dtype: Dtype; readonly bytes: number },
  [first, second]: readonly [Reader, Reader],
  signal: AbortSignal,
): Promise<UlpCounts> {
  let counts = NO_ULPS;
  for (let at = 0; at < bytes; at += CHUNK_BYTES) {
    signal.throwIfAborted();
    const length = Math.min(CHUNK_BYTES, bytes - at);
    const [a, b] = await Promise.all([first.read(name, at, length), second.read(name, at, length)]);
    counts = addUlps(counts, isFloat(dtype) ? compareFloats(dtype, a, b) : compareBytes(a, b));
  }
  return counts;
}

function compareBytes(a: Uint8Array, b: Uint8Array): UlpCounts {
  let different = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) different++;
  return { ...NO_ULPS, elements: a.length, different };
}

/** Reads into a buffer of its own; what it gives is valid until the next read. */
function createReader({ files, tensors }: Weights) {
  const buffer = new Uint8Array(CHUNK_BYTES);
  const handles = new Map<string, FileHandle>();
  return {
    async read(name: string, skip: number, length: number): Promise<Uint8Array> {
      const tensor = tensors.get(name);
      const path = tensor && files[tensor.file];
      if (!tensor || path === undefined) throw new Error(`no tensor ${name}`);
      const from = tensor.offset + skip;
      try {
        const handle = handles.get(path) ?? (await open(path));
        handles.set(path, handle);
        for (let done = 0; done < length; ) {
          const { bytesRead } = await handle.read(buffer, done, length - done, from + done);
          if (bytesRead === 0) throw new Error(`the file ends at ${from + done}`);
          done += bytesRead;
        }
      } catch (error) {
        const message = `expected ${length} bytes at ${from}, got: ${reasonOf(error)}`;
        throw new LineageError('file/unreadable', message, { file: path, byte: from }, { cause: error });
      }
      return buffer.subarray(0, length);
    },
    async close(): Promise<void> {
      for (const handle of handles.values()) await handle.close();
    },
  };
}
