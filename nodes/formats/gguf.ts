import { LineageError } from '../kit/errors.ts';
import { startsWith } from './cursor.ts';
import { type GgmlType, ggmlTypeOf } from './ggml-types.ts';
import {
  type GgufReader,
  type GgufValue,
  readDims,
  readGgufValue,
  readText,
  readU32,
  readU64,
} from './gguf-values.ts';

/** One tensor of a GGUF file. */
type GgufTensor = {
  readonly name: string;
  /** Undefined for a type of later than this table; the tensor is listed, and its data is not measured. */
  readonly type: GgmlType | undefined;
  /** The number that stands for the type in the file. */
  readonly typeId: number;
  /** Row-major (C order, as in PyTorch): the reverse of what the file says. */
  readonly shape: readonly number[];
  /** Bytes from the start of the data section. */
  readonly begin: number;
  /** Exclusive; undefined where the type is. */
  readonly end: number | undefined;
};

/** What the head of a GGUF file says. Both maps iterate in the order of the file. */
export type GgufHeader = {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, GgufValue>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  /** Where the data section begins in the file, in bytes. */
  readonly dataAt: number;
};

/** What every GGUF file begins with: `GGUF`. */
export const MAGIC = Uint8Array.of(0x47, 0x47, 0x55, 0x46);
/** Version 1 had 32-bit lengths and is met no more. */
const VERSIONS: ReadonlySet<number> = new Set([2, 3]);
const DEFAULT_ALIGNMENT = 32;
const ALIGNMENT_KEY = 'general.alignment';
const MAX_ALIGNMENT = 0x10_0000;
/** The least that an entry takes: for metadata a length, a type and a byte; for a tensor lengths, a type and an offset. */
const MIN_ENTRY_BYTES = 13;
const MIN_TENSOR_BYTES = 24;

/**
 * Reads the head of a GGUF file: magic · version u32 · tensors u64 · metadata u64 · metadata · tensor infos · padding.
 * Counts and lengths are held against the bytes that are there before anything is made of them.
 *
 * @param head the first bytes of the file; not retained.
 * @param fileBytes size of the whole file.
 * @throws LineageError `gguf/truncated` where the head ends too early: read twice as much while the file has more;
 * `gguf/malformed`
 * @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
 */
export function parseGguf(head: Uint8Array, fileBytes: number): GgufHeader {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const reader: GgufReader = { view, fileBytes, at: 0 };
  if (!startsWith(head, MAGIC)) throw malformed('the GGUF magic', 'other bytes', 0);
  reader.at = MAGIC.length;
  const version = readU32(reader);
  if (!VERSIONS.has(version))
    throw malformed('GGUF of version 2 or 3, little-endian', `version ${version}`, 4);
  const tensorCount = readCount(reader, fileBytes, MIN_TENSOR_BYTES);
  const entryCount = readCount(reader, fileBytes, MIN_ENTRY_BYTES);
  const metadata = new Map<string, GgufValue>();
  for (let i = 0; i < entryCount; i++) {
    const at = reader.at;
    const key = readText(reader);
    if (metadata.has(key)) throw malformed(`metadata ${JSON.stringify(key)} once`, 'it again', at);
    metadata.set(key, readGgufValue(reader));
  }
  const alignment = readAlignment(metadata);
  const tensors = new Map<string, GgufTensor>();
  for (let i = 0; i < tensorCount; i++) {
    const at = reader.at;
    const tensor = readTensor(reader, alignment);
    if (tensors.has(tensor.name))
      throw malformed(`tensor ${JSON.stringify(tensor.name)} once`, 'it again', at);
    tensors.set(tensor.name, tensor);
  }
  const dataAt = Math.ceil(reader.at / alignment) * alignment;
  checkExtents(tensors, dataAt, fileBytes);
  return { version, metadata, tensors, dataAt };
}

/** A u64 count of things that take at least so many bytes each. */
function readCount(reader: GgufReader, fileBytes: number, minBytes: number): number {
  const at = reader.at;
  const count = readU64(reader);
  if (count * minBytes > fileBytes) throw malformed(`a count that fits ${fileBytes} bytes`, `${count}`, at);
  return count;
}

function readAlignment(metadata: ReadonlyMap<string, GgufValue>): number {
  const alignment = metadata.get(ALIGNMENT_KEY) ?? DEFAULT_ALIGNMENT;
  const isPowerOfTwo = typeof alignment === 'number' && alignment > 0 && (alignment & (alignment - 1)) === 0;
  if (!isPowerOfTwo || alignment > MAX_ALIGNMENT)
    throw malformed(`a power of two up to ${MAX_ALIGNMENT} as ${ALIGNMENT_KEY}`, 'another value', 0);
  return alignment;
}

/** name · dimensions u32 · side u64 each, the fastest first · type u32 · offset u64 */
function readTensor(reader: GgufReader, alignment: number): GgufTensor {
  const at = reader.at;
  const name = readText(reader);
  const shape = readDims(reader).reverse();
  const typeId = readU32(reader);
  const begin = readU64(reader);
  if (begin % alignment !== 0) throw malformed(`an offset of a multiple of ${alignment}`, `${begin}`, at);
  const type = ggmlTypeOf(typeId);
  if (type === undefined) return { name, type, typeId, shape, begin, end: undefined };
  const row = shape.at(-1) ?? 1;
  const count = shape.reduce((product, side) => product * side, 1);
  const end = begin + (count / type.blockElements) * type.blockBytes;
  if (row % type.blockElements !== 0 || !Number.isSafeInteger(count) || !Number.isSafeInteger(end))
    throw malformed(`rows of whole blocks of ${type.name} below 2^53 bytes`, `[${shape}]`, at);
  return { name, type, typeId, shape, begin, end };
}

/** Tensors must lie within the file, and not over each other. */
function checkExtents(tensors: ReadonlyMap<string, GgufTensor>, dataAt: number, fileBytes: number): void {
  let last = 0;
  for (const { name, begin, end } of [...tensors.values()].sort((a, b) => a.begin - b.begin)) {
    if (begin < last)
      throw malformed(`the data of ${JSON.stringify(name)} at ${last} or later`, `${begin}`, dataAt + begin);
    last = end ?? begin;
    if (dataAt + last > fileBytes)
      throw malformed(
        `the data of ${JSON.stringify(name)} within the file`,
        `it to ${dataAt + last}`,
        dataAt + begin,
      );
  }
}

function malformed(expected: string, got: string, byte: number): LineageError {
  return new LineageError('gguf/malformed', `expected ${expected}, got ${got}`, { byte });
}
