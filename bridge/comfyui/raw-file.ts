import { LineageError } from '../../nodes/kit/errors.ts';

/**
 * The head of an exchange file, 64 bytes, little-endian: `LNGX`, version, type of the elements (0 bytes, 1 pixels of 8
 * bits, 2 pixels of float32), rank, 0, then four sizes of 64 bits (those beyond the rank are 0), then zeros. The
 * elements follow, rows as they are read, and nothing behind them. exchange.py is the other end.
 */
export const HEAD_BYTES = 64;

/** A batch of 64 pictures of 4096x4096 in floats is 12 GiB; more in one value is a mistake. */
export const MAX_FILE_BYTES = 16 * 1024 ** 3;

const MAGIC = 0x58474e4c;
const VERSION = 1;
const KINDS = ['bytes', 'uint8', 'float32'] as const;

/** What a file holds. Pixels have the shape [batch, height, width, channels]. */
export type RawShape =
  | { readonly kind: 'bytes'; readonly length: number }
  | {
      readonly kind: 'uint8' | 'float32';
      readonly batch: number;
      readonly height: number;
      readonly width: number;
      readonly channels: 1 | 3 | 4;
    };

/** How many bytes follow the head. */
export function bodyBytes(shape: RawShape): number {
  if (shape.kind === 'bytes') return shape.length;
  const { batch, height, width, channels, kind } = shape;
  return batch * height * width * channels * (kind === 'float32' ? 4 : 1);
}

/** The head of a file of this shape. */
export function writeHead(shape: RawShape): Uint8Array {
  const sizes =
    shape.kind === 'bytes' ? [shape.length] : [shape.batch, shape.height, shape.width, shape.channels];
  const head = new DataView(new ArrayBuffer(HEAD_BYTES));
  head.setUint32(0, MAGIC, true);
  head.setUint8(4, VERSION);
  head.setUint8(5, KINDS.indexOf(shape.kind));
  head.setUint8(6, sizes.length);
  for (const [index, size] of sizes.entries()) head.setBigUint64(8 + index * 8, BigInt(size), true);
  return new Uint8Array(head.buffer);
}

/**
 * Reads a head and holds it against the file's true size: what is allocated for it is never more than the file is.
 * @param fileBytes as the open file itself says.
 * @throws LineageError `exchange/file`
 */
export function readHead(bytes: Uint8Array, fileBytes: number): RawShape {
  if (bytes.byteLength < HEAD_BYTES || fileBytes < HEAD_BYTES) throw unfit('a head', 'a shorter file');
  if (fileBytes > MAX_FILE_BYTES) throw unfit(`at most ${MAX_FILE_BYTES} bytes`, `${fileBytes}`);
  const head = new DataView(bytes.buffer, bytes.byteOffset, HEAD_BYTES);
  if (head.getUint32(0, true) !== MAGIC || head.getUint8(4) !== VERSION || head.getUint8(7) !== 0)
    throw unfit('an exchange file', 'another');
  for (let at = 40; at < HEAD_BYTES; at++) if (head.getUint8(at) !== 0) throw unfit('zeros', 'something');
  const kind = KINDS[head.getUint8(5)];
  const rank = head.getUint8(6);
  const sizes = [0, 1, 2, 3].map((index) => head.getBigUint64(8 + index * 8, true));
  const shape = kind && shapeOf(kind, rank, sizes);
  if (!shape) throw unfit('bytes, or [batch, height, width, 1, 3 or 4]', `${kind} [${sizes.join(', ')}]`);
  if (BigInt(fileBytes - HEAD_BYTES) !== exactBytes(shape.kind, rank, sizes))
    throw unfit(`the bytes of [${sizes.slice(0, rank).join(', ')}]`, `${fileBytes - HEAD_BYTES}`);
  return shape;
}

function shapeOf(kind: (typeof KINDS)[number], rank: number, sizes: readonly bigint[]): RawShape | undefined {
  if (sizes.slice(rank).some((size) => size !== 0n)) return undefined;
  const [batch = 0, height = 0, width = 0, channels = 0] = sizes.map(Number);
  if (kind === 'bytes') return rank === 1 ? { kind, length: batch } : undefined;
  if (rank !== 4 || batch < 1 || height < 1 || width < 1) return undefined;
  if (channels !== 1 && channels !== 3 && channels !== 4) return undefined;
  return { kind, batch, height, width, channels };
}

/** As whole numbers: a product of lies may be more than a double holds. */
function exactBytes(kind: (typeof KINDS)[number], rank: number, sizes: readonly bigint[]): bigint {
  return sizes.slice(0, rank).reduce((product, size) => product * size, kind === 'float32' ? 4n : 1n);
}

function unfit(expected: string, got: string): LineageError {
  return new LineageError('exchange/file', `expected ${expected}, got ${got}`);
}
