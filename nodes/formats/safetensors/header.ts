import { LineageError } from '../../kit/errors.ts';
import { need, u32le } from '../cursor.ts';
import { bitsOf, type Dtype, isDtype } from './dtypes.ts';
import {
  expectEnd,
  fault,
  type JsonScan,
  readArray,
  readObject,
  readString,
  readUnsigned,
  skipNull,
  skipValue,
  startScan,
} from './json-scan.ts';

/** One tensor of a file. `begin` and `end` are bytes from the start of the data section, `end` exclusive. */
export type TensorInfo = {
  readonly name: string;
  readonly dtype: Dtype;
  /** Row-major (C order); empty for a scalar. */
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
};

/** What the head of a safetensors file says. Both maps iterate in the order of the header. */
export type SafetensorsHeader = {
  /** Undefined where there is none, or null. */
  readonly metadata: ReadonlyMap<string, string> | undefined;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
};

/** The u64 before the header. */
export const LENGTH_BYTES = 8;
/** The format's own limit, for readers and writers. */
export const MAX_HEADER_BYTES = 100_000_000;
/** The key that names no tensor. */
export const METADATA_KEY = '__metadata__';
const MAX_U64 = 2n ** 64n - 1n;

/**
 * The length of the JSON header, from the first bytes of a file: u64, little-endian.
 *
 * @param first8 the first 8 bytes; fewer only if the file has fewer.
 * @param fileBytes size of the whole file.
 * @returns bytes of the header, which stand at 8 of the file; the data section is what follows them.
 * @throws LineageError `safetensors/malformed`
 */
export function readHeaderLength(first8: Uint8Array, fileBytes: number): number {
  need(first8, 0, LENGTH_BYTES, 'safetensors/malformed');
  const length =
    u32le(first8, 0, 'safetensors/malformed') + u32le(first8, 4, 'safetensors/malformed') * 0x1_0000_0000;
  if (length > MAX_HEADER_BYTES)
    throw new LineageError(
      'safetensors/malformed',
      `expected a header of at most ${MAX_HEADER_BYTES} bytes, got ${length}`,
      {
        byte: 0,
      },
    );
  if (length > fileBytes - LENGTH_BYTES)
    throw new LineageError(
      'safetensors/malformed',
      `expected a header of ${length} bytes, got a file of ${fileBytes}`,
      {
        byte: 0,
      },
    );
  return length;
}

/**
 * Reads and checks a header as strictly as the reference implementation, the safetensors crate 0.8: JSON without
 * leniency, known dtypes, sizes that fit shapes, and tensors that cover the data section exactly, without hole or
 * overlap. Of a repeated metadata key the last counts, and an entry may repeat word for word, as there. Three things
 * that the crate lets pass and no writer makes are refused: two different entries of one name, an entry or dtype that
 * is an array or object where the format has an object or text, and a side of 2^53 or more of a tensor without elements.
 *
 * Time is linear in the header, plus a sort if tensors are not in the order of their data. Memory is at worst about
 * eleven times the header, for metadata of nothing but short keys; tensors take less.
 *
 * @param header the bytes between length and data; not retained.
 * @param dataBytes size of the data section: what the file holds behind the header.
 * @throws LineageError `safetensors/malformed`, with the offset in the file
 * @see https://github.com/huggingface/safetensors#format
 */
export function parseHeader(header: Uint8Array, dataBytes: number): SafetensorsHeader {
  const scan = startScan(header, 'safetensors/malformed', LENGTH_BYTES);
  const tensors = new Map<string, TensorInfo>();
  let metadata: ReadonlyMap<string, string> | undefined;
  let hasMetadata = false;
  readObject(scan, 'an object', (name) => {
    if (name === METADATA_KEY) {
      if (hasMetadata) throw fault(scan, `${METADATA_KEY} once`, 'it again');
      hasMetadata = true;
      metadata = readMetadata(scan);
      return;
    }
    const tensor = readTensor(scan, name);
    const known = tensors.get(name);
    if (known !== undefined && !isSameTensor(known, tensor))
      throw fault(scan, `one tensor of the name ${quote(name)}`, 'another of the same name');
    tensors.set(name, tensor);
  });
  expectEnd(scan);
  checkCoverage(tensors, LENGTH_BYTES + header.length, dataBytes);
  return { metadata, tensors };
}

/** Texts by key, or null. */
function readMetadata(scan: JsonScan): ReadonlyMap<string, string> | undefined {
  if (skipNull(scan)) return undefined;
  const metadata = new Map<string, string>();
  readObject(scan, `an object or null as ${METADATA_KEY}`, (key) => {
    metadata.set(key, readString(scan, `text as metadata ${quote(key)}`));
  });
  return metadata;
}

/** `{dtype, shape, data_offsets}` in any order; other fields are skipped. */
function readTensor(scan: JsonScan, name: string): TensorInfo {
  let dtype: Dtype | undefined;
  let shape: number[] | undefined;
  let offsets: number[] | undefined;
  readObject(scan, `an object for tensor ${quote(name)}`, (field) => {
    if (field === 'dtype') {
      if (dtype !== undefined) throw fault(scan, 'dtype once', 'it again');
      dtype = readDtype(scan);
    } else if (field === 'shape') {
      if (shape !== undefined) throw fault(scan, 'shape once', 'it again');
      shape = readUnsignedList(scan, 'shape');
    } else if (field === 'data_offsets') {
      if (offsets !== undefined) throw fault(scan, 'data_offsets once', 'them again');
      offsets = readUnsignedList(scan, 'data_offsets');
    } else skipValue(scan, 2);
  });
  if (dtype === undefined || shape === undefined || offsets === undefined)
    throw fault(scan, `dtype, shape and data_offsets of tensor ${quote(name)}`, 'an entry that lacks one');
  const [begin, end, extra] = offsets;
  if (begin === undefined || end === undefined || extra !== undefined)
    throw fault(scan, `two data_offsets of tensor ${quote(name)}`, String(offsets.length));
  const bytes = byteLength(dtype, shape);
  if (bytes === undefined || end - begin !== bytes)
    throw fault(
      scan,
      `data_offsets that span the ${bytes ?? 'whole'} bytes of ${dtype} [${shape.slice(0, 8)}] of ${quote(name)}`,
      `${begin} to ${end}`,
    );
  return { name, dtype, shape, begin, end };
}

function readDtype(scan: JsonScan): Dtype {
  const name = readString(scan, 'a dtype');
  if (!isDtype(name)) throw fault(scan, 'a dtype of safetensors', quote(name));
  return name;
}

function readUnsignedList(scan: JsonScan, what: string): number[] {
  const list: number[] = [];
  readArray(scan, `a list as ${what}`, () => {
    list.push(readUnsigned(scan, `a whole number in ${what}`));
  });
  return list;
}

/**
 * Bytes of a tensor: elements times bits, which must fill whole bytes.
 *
 * @returns undefined where they do not, or where the count of elements passes 64 bits on the way, even if a later
 * side is 0.
 */
export function byteLength(dtype: Dtype, shape: readonly number[]): number | undefined {
  let count = 1;
  for (const side of shape) count *= side;
  // 0 may hide an overflow on the way, and so may rounding: count those exactly.
  if ((count === 0 && shape.length > 2) || !Number.isSafeInteger(count)) {
    const exact = countExactly(shape);
    if (exact === undefined) return undefined;
    count = exact;
  }
  const bytes = (count * bitsOf(dtype)) / 8;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

function countExactly(shape: readonly number[]): number | undefined {
  let count = 1n;
  for (const side of shape) {
    count *= BigInt(side);
    if (count > MAX_U64) return undefined;
  }
  return Number(count);
}

function isSameTensor(a: TensorInfo, b: TensorInfo): boolean {
  const isAlike = a.dtype === b.dtype && a.begin === b.begin && a.end === b.end;
  return isAlike && a.shape.length === b.shape.length && a.shape.every((side, i) => side === b.shape[i]);
}

/** In the order of their data, tensors must begin where the one before ends: from 0 to the end of the file. */
function checkCoverage(tensors: ReadonlyMap<string, TensorInfo>, dataAt: number, dataBytes: number): void {
  let end = 0;
  for (const tensor of inDataOrder(tensors)) {
    if (tensor.begin !== end)
      throw new LineageError(
        'safetensors/malformed',
        `expected the data of ${quote(tensor.name)} at ${end}, where the one before ends, got ${tensor.begin}`,
        { byte: dataAt + end },
      );
    end = tensor.end;
  }
  if (end !== dataBytes)
    throw new LineageError('safetensors/malformed', `expected ${end} bytes of data, got ${dataBytes}`, {
      byte: dataAt + Math.min(end, dataBytes),
    });
}

/** Most writers put them so; then nothing is sorted. */
function inDataOrder(tensors: ReadonlyMap<string, TensorInfo>): Iterable<TensorInfo> {
  let last: TensorInfo | undefined;
  for (const tensor of tensors.values()) {
    if (last !== undefined && (tensor.begin - last.begin || tensor.end - last.end) < 0)
      return [...tensors.values()].sort((a, b) => a.begin - b.begin || a.end - b.end);
    last = tensor;
  }
  return tensors.values();
}

/** A name in a message: cut, and with what is invisible escaped. */
function quote(name: string): string {
  return JSON.stringify(name.length > 80 ? `${name.slice(0, 80)}...` : name);
}
