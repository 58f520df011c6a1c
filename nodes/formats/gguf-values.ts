import { isUtf8 } from 'node:buffer';
import { LineageError } from '../kit/errors.ts';

/** A position in the head of a GGUF file, which may go on behind the view. */
export type GgufReader = { readonly view: DataView; readonly fileBytes: number; at: number };

/** A value of the metadata: 64-bit integers as bigint, arrays (also of arrays) as arrays of one type. */
export type GgufValue = number | bigint | boolean | string | readonly GgufValue[];

/** The longest head that is read: those with the largest vocabularies are about 30 MiB. */
const MAX_HEAD_BYTES = 256 * 1024 * 1024;
/** Dimensions of a tensor (GGML_MAX_DIMS). */
const MAX_DIMS = 4;
/** Arrays of arrays are legal; nobody writes more than two levels. */
const MAX_ARRAY_DEPTH = 4;
const TEXT_TYPE = 8;
const ARRAY_TYPE = 9;

/** @see https://github.com/ggml-org/ggml/blob/master/docs/gguf.md gguf_metadata_value_type */
type Scalar = { readonly bytes: number; readonly read: (view: DataView, at: number) => GgufValue };
const SCALARS: ReadonlyMap<number, Scalar> = new Map([
  [0, { bytes: 1, read: (view, at) => view.getUint8(at) }],
  [1, { bytes: 1, read: (view, at) => view.getInt8(at) }],
  [2, { bytes: 2, read: (view, at) => view.getUint16(at, true) }],
  [3, { bytes: 2, read: (view, at) => view.getInt16(at, true) }],
  [4, { bytes: 4, read: (view, at) => view.getUint32(at, true) }],
  [5, { bytes: 4, read: (view, at) => view.getInt32(at, true) }],
  [6, { bytes: 4, read: (view, at) => view.getFloat32(at, true) }],
  [7, { bytes: 1, read: readBool }],
  [10, { bytes: 8, read: (view, at) => view.getBigUint64(at, true) }],
  [11, { bytes: 8, read: (view, at) => view.getBigInt64(at, true) }],
  [12, { bytes: 8, read: (view, at) => view.getFloat64(at, true) }],
]);

/** A boolean is a byte of 0 or 1, and nothing else. */
function readBool(view: DataView, at: number): boolean {
  const byte = view.getUint8(at);
  if (byte > 1) throw malformed('a boolean of 0 or 1', `${byte}`, at);
  return byte === 1;
}

/** An unsigned 32-bit number. @throws LineageError `gguf/truncated`, like all that follow */
export function readU32(reader: GgufReader): number {
  return reader.view.getUint32(take(reader, 4), true);
}

/** An unsigned 64-bit number below 2^53. @throws LineageError `gguf/malformed` */
export function readU64(reader: GgufReader): number {
  const at = take(reader, 8);
  const value = Number(reader.view.getBigUint64(at, true));
  if (!Number.isSafeInteger(value)) throw malformed('a number below 2^53', `${value}`, at);
  return value;
}

/** Length u64 · UTF-8. @throws LineageError `gguf/malformed` */
export function readText(reader: GgufReader): string {
  const length = readU64(reader);
  const at = take(reader, length);
  const bytes = new Uint8Array(reader.view.buffer, reader.view.byteOffset + at, length);
  if (!isUtf8(bytes)) throw malformed('UTF-8', 'bytes that are none', at);
  return Buffer.from(bytes.buffer, bytes.byteOffset, length).toString();
}

/** Count u32 · side u64 each, the fastest first. @throws LineageError `gguf/malformed` */
export function readDims(reader: GgufReader): number[] {
  const at = reader.at;
  const count = readU32(reader);
  if (count > MAX_DIMS) throw malformed(`at most ${MAX_DIMS} dimensions`, `${count}`, at);
  return Array.from({ length: count }, () => readU64(reader));
}

/** Type u32 · value. @throws LineageError `gguf/malformed` */
export function readGgufValue(reader: GgufReader): GgufValue {
  return readTyped(reader, readU32(reader), 0);
}

function readTyped(reader: GgufReader, type: number, depth: number): GgufValue {
  if (type === TEXT_TYPE) return readText(reader);
  if (type === ARRAY_TYPE) return readArray(reader, depth + 1);
  const { bytes, read } = scalarOf(type, reader.at);
  return read(reader.view, take(reader, bytes));
}

/** Item type u32 · count u64 · items. The count is held against the bytes that are left before anything is made. */
function readArray(reader: GgufReader, depth: number): GgufValue[] {
  const at = reader.at;
  if (depth > MAX_ARRAY_DEPTH) throw malformed(`arrays of at most ${MAX_ARRAY_DEPTH} levels`, 'more', at);
  const type = readU32(reader);
  const count = readU64(reader);
  // A text takes its length, an array its type and count.
  const itemBytes = type === TEXT_TYPE ? 8 : type === ARRAY_TYPE ? 12 : scalarOf(type, at).bytes;
  expectRoom(reader, count * itemBytes);
  const items: GgufValue[] = [];
  for (let i = 0; i < count; i++) items.push(readTyped(reader, type, depth));
  return items;
}

function scalarOf(type: number, at: number): Scalar {
  const scalar = SCALARS.get(type);
  if (!scalar) throw malformed('a metadata type of 0 to 12', `${type}`, at);
  return scalar;
}

/** Moves past so many bytes; answers with where they begin. */
function take(reader: GgufReader, length: number): number {
  expectRoom(reader, length);
  const { at } = reader;
  reader.at += length;
  return at;
}

/** What the file does not hold is a lie; what only the view does not hold can be read. */
function expectRoom({ view, fileBytes, at }: GgufReader, length: number): void {
  if (length <= view.byteLength - at) return;
  const most = Math.min(fileBytes, MAX_HEAD_BYTES) - at;
  if (length > most) throw malformed(`at most ${most} bytes more before the tensors`, `${length}`, at);
  throw new LineageError('gguf/truncated', `expected ${length} bytes, got ${view.byteLength - at}`, {
    byte: at,
  });
}

function malformed(expected: string, got: string, byte: number): LineageError {
  return new LineageError('gguf/malformed', `expected ${expected}, got ${got}`, { byte });
}
