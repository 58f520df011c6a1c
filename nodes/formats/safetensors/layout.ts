import { LineageError } from '../../kit/errors.ts';
import { concatBytes } from '../assemble.ts';
import { u32leBytes } from '../cursor.ts';
import { type Dtype, rankOf } from './dtypes.ts';
import { byteLength, LENGTH_BYTES, MAX_HEADER_BYTES, METADATA_KEY, type TensorInfo } from './header.ts';
import { compareNames } from './name-order.ts';

/** A tensor that is to be written. */
export type TensorShape = { readonly name: string; readonly dtype: Dtype; readonly shape: readonly number[] };

/** Where each tensor of a new file goes. */
export type TensorLayout = {
  /** What the file begins with: the length (u64, little-endian) and the JSON, padded so that data is 8-aligned. */
  readonly header: Uint8Array;
  /** In the order of their data. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Size of the data section; the file is `header.length + dataBytes`. */
  readonly dataBytes: number;
};

const CODE = 'safetensors/layout';

/**
 * Lays out a file in the one order that canonical writers use, so that equal tensors give equal bytes whatever order
 * they come in: dtype (last of the enumeration first, hence aligned data), then name. The bytes are those of
 * safetensors 0.8, with two differences where it cannot be followed: metadata keys are sorted by code point (it writes
 * them in the random order of a hash map), and empty metadata without any tensor is the JSON that it should be (the
 * crate writes `{},"__metadata__":{}}` and does not read that back).
 *
 * @param tensors of unique names; sides are whole numbers.
 * @param metadata written even if empty; undefined writes none.
 * @throws LineageError `safetensors/layout` for what no reader would take
 */
export function layoutTensors(
  tensors: Iterable<TensorShape>,
  metadata?: ReadonlyMap<string, string>,
): TensorLayout {
  const sorted = [...tensors].sort(
    (a, b) => rankOf(b.dtype) - rankOf(a.dtype) || compareNames(a.name, b.name),
  );
  const placed = new Map<string, TensorInfo>();
  let begin = 0;
  for (const { name, dtype, shape } of sorted) {
    if (placed.has(name) || name === METADATA_KEY || !name.isWellFormed())
      throw refuse('unique names of whole code points', `${JSON.stringify(name)}`);
    const bytes = shape.every(isSide) ? byteLength(dtype, shape) : undefined;
    if (bytes === undefined || !Number.isSafeInteger(begin + bytes))
      throw refuse('a shape of whole bytes below 2^53', `${dtype} [${shape}] of ${JSON.stringify(name)}`);
    placed.set(name, { name, dtype, shape, begin, end: begin + bytes });
    begin += bytes;
  }
  return { header: writeHeader(placed, metadata), tensors: placed, dataBytes: begin };
}

function isSide(side: number): boolean {
  return Number.isSafeInteger(side) && side >= 0;
}

function refuse(expected: string, got: string): LineageError {
  return new LineageError(CODE, `expected ${expected}, got ${got}`);
}

/** JSON without spaces, padded with them to a multiple of 8; JSON.stringify escapes what the crate escapes. */
function writeHeader(
  tensors: ReadonlyMap<string, TensorInfo>,
  metadata: ReadonlyMap<string, string> | undefined,
): Uint8Array {
  const entries = metadata === undefined ? [] : [`"${METADATA_KEY}":${writeMetadata(metadata)}`];
  for (const { name, dtype, shape, begin, end } of tensors.values())
    entries.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${begin},${end}]}`,
    );
  const json = new TextEncoder().encode(`{${entries.join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER_BYTES) throw refuse(`a header of at most ${MAX_HEADER_BYTES} bytes`, `${length}`);
  const padding = new Uint8Array(length - json.length).fill(0x20);
  return concatBytes(u32leBytes(length), new Uint8Array(LENGTH_BYTES - 4), json, padding);
}

function writeMetadata(metadata: ReadonlyMap<string, string>): string {
  const entries = [...metadata].sort(([a], [b]) => compareNames(a, b));
  for (const [key, text] of entries)
    if (!key.isWellFormed() || !text.isWellFormed())
      throw refuse('metadata of whole code points', `a lone surrogate in ${JSON.stringify(key)}`);
  return `{${entries.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`).join(',')}}`;
}
