import { LineageError } from '../kit/errors.ts';
import { joinBytes } from './assemble.ts';
import { latin1, latin1Bytes, need, startsWith, u16be, u16le, u32be, u32le } from './cursor.ts';

/**
 * The TIFF frame of an EXIF block: header, directories (IFDs) and their entries, without the meaning of any tag.
 * @see https://www.cipa.jp/std/documents/download_e.html?DC-008-Translation-2023-E (Exif 3.0, section 4.6)
 */

/** `MM` is big-endian, `II` little-endian. */
export type ByteOrder = 'MM' | 'II';

/** One directory entry as it stands in a block. */
export type TiffEntry = {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** The twelve bytes of the entry itself: a view into the block. */
  readonly raw: Uint8Array;
  /** Offset of the value within the block; inside the entry where it is at most four bytes long. */
  readonly at: number;
  /** A view of the value, in the block's byte order; absent for an unknown type or a value outside the block. */
  readonly value?: Uint8Array;
};

/** One image file directory as it was read. */
export type TiffIfd = {
  readonly entries: readonly TiffEntry[];
  /** Offset of the next directory, 0 for none. */
  readonly next: number;
};

/** An entry to write: either with its value, which is laid out anew, or as twelve bytes that stay as they are. */
export type NewEntry =
  | { readonly tag: number; readonly type: number; readonly count: number; readonly value: Uint8Array }
  | { readonly tag: number; readonly raw: Uint8Array };

/** Types by number. @see TIFF 6.0, section 2 */
export const TYPE = { ascii: 2, short: 3, long: 4, rational: 5, undefined: 7 } as const;

/** Tag of the pointer from IFD0 to the EXIF directory. */
export const EXIF_IFD = 0x8769;

/** Bytes a value of each type takes: BYTE ASCII SHORT LONG RATIONAL SBYTE UNDEFINED SSHORT SLONG SRATIONAL FLOAT DOUBLE IFD. */
const TYPE_BYTES: readonly number[] = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4];
const ENTRY_BYTES = 12;
/** Stands before the block in JPEG. */
export const EXIF_PREFIX = latin1Bytes('Exif\0\0');

/** The block behind `Exif\0\0`, which belongs to JPEG only but is met in PNG and WebP as well. */
export function withoutExifPrefix(block: Uint8Array): Uint8Array {
  return startsWith(block, EXIF_PREFIX) ? block.subarray(EXIF_PREFIX.length) : block;
}

/** u16 in the block's byte order. */
function u16(block: Uint8Array, at: number, order: ByteOrder): number {
  return order === 'MM' ? u16be(block, at, 'exif/malformed') : u16le(block, at, 'exif/malformed');
}

/** u32 in the block's byte order. */
function u32(block: Uint8Array, at: number, order: ByteOrder): number {
  return order === 'MM' ? u32be(block, at, 'exif/malformed') : u32le(block, at, 'exif/malformed');
}

/** `MM` or `II` · 42 u16 · offset of IFD0 u32 */
export function readTiffHeader(block: Uint8Array): { readonly order: ByteOrder; readonly ifd0At: number } {
  need(block, 0, 8, 'exif/malformed');
  const mark = latin1(block.subarray(0, 2));
  const order = mark === 'MM' || mark === 'II' ? mark : undefined;
  if (order === undefined || u16(block, 2, order) !== 42) {
    throw new LineageError('exif/malformed', 'expected a TIFF header, got other bytes', { byte: 0 });
  }
  return { order, ifd0At: u32(block, 4, order) };
}

/**
 * count u16 · entries of 12 bytes (tag u16 · type u16 · count u32 · value or its offset u32) · next IFD u32.
 * A block that ends before the next-IFD field is taken as if it held 0: some writers leave it out.
 *
 * @throws LineageError `exif/malformed` where the directory does not lie inside the block, or its values together are
 *   longer than the block
 */
export function readIfd(block: Uint8Array, ifdAt: number, order: ByteOrder): TiffIfd {
  const count = u16(block, ifdAt, order);
  need(block, ifdAt + 2, count * ENTRY_BYTES, 'exif/malformed');
  const entries: TiffEntry[] = [];
  let valueBytes = 0;
  for (let i = 0; i < count; i++) {
    const entry = readEntry(block, ifdAt + 2 + i * ENTRY_BYTES, order);
    entries.push(entry);
    valueBytes += entry.value?.length ?? 0;
  }
  // Thousands of entries that share one long value would grow a small block into gigabytes.
  if (valueBytes > block.length) {
    throw new LineageError(
      'exif/malformed',
      `expected values within ${block.length} bytes, got ${valueBytes}`,
      {
        byte: ifdAt,
      },
    );
  }
  const nextAt = ifdAt + 2 + count * ENTRY_BYTES;
  return { entries, next: nextAt + 4 <= block.length ? u32(block, nextAt, order) : 0 };
}

function readEntry(block: Uint8Array, entryAt: number, order: ByteOrder): TiffEntry {
  const type = u16(block, entryAt + 2, order);
  const count = u32(block, entryAt + 4, order);
  const valueBytes = (TYPE_BYTES[type] ?? 0) * count;
  const at = valueBytes <= 4 ? entryAt + 8 : u32(block, entryAt + 8, order);
  const known = type >= 1 && type < TYPE_BYTES.length && at + valueBytes <= block.length;
  return {
    tag: u16(block, entryAt, order),
    type,
    count,
    raw: block.subarray(entryAt, entryAt + ENTRY_BYTES),
    at,
    ...(known ? { value: block.subarray(at, at + valueBytes) } : {}),
  };
}

/** Number of bytes that `value` takes in this order, as bytes. */
export function uintBytes(value: number, byteCount: 2 | 4, order: ByteOrder): Uint8Array {
  const out = new Uint8Array(byteCount);
  const view = new DataView(out.buffer);
  if (byteCount === 2) view.setUint16(0, value, order === 'II');
  else view.setUint32(0, value, order === 'II');
  return out;
}

/**
 * Lays out IFD0 and the EXIF directory with their values, to stand at `start` of a block: IFD0 first, then the EXIF
 * directory, then the values at even offsets. Entries are sorted by tag and the pointer between the two is added.
 *
 * @param start even offset of these bytes within the block.
 * @param next offset of IFD1 within the block, 0 for none.
 */
export function layOutIfds(
  ifd0: readonly NewEntry[],
  exif: readonly NewEntry[],
  { start, next, order }: { readonly start: number; readonly next: number; readonly order: ByteOrder },
): Uint8Array {
  const exifAt = start + ifdBytes(ifd0.length + 1);
  const pointer = { tag: EXIF_IFD, type: TYPE.long, count: 1, value: uintBytes(exifAt, 4, order) };
  const values: Uint8Array[] = [];
  let valueAt = exifAt + ifdBytes(exif.length);

  const layOut = (entries: readonly NewEntry[], nextIfd: number): Uint8Array[] => {
    const parts = [uintBytes(entries.length, 2, order)];
    for (const entry of entries.toSorted((a, b) => a.tag - b.tag)) {
      if ('raw' in entry) {
        parts.push(entry.raw);
        continue;
      }
      const { tag, type, count, value } = entry;
      parts.push(uintBytes(tag, 2, order), uintBytes(type, 2, order), uintBytes(count, 4, order));
      if (value.length <= 4) {
        parts.push(value, new Uint8Array(4 - value.length));
      } else {
        parts.push(uintBytes(valueAt, 4, order));
        values.push(value, new Uint8Array(value.length % 2));
        valueAt += value.length + (value.length % 2);
      }
    }
    return [...parts, uintBytes(nextIfd, 4, order)];
  };
  const directories = [...layOut([...ifd0, pointer], next), ...layOut(exif, 0)];
  return joinBytes([...directories, ...values]);
}

/** Length of a directory with this many entries: always even. */
export function ifdBytes(entryCount: number): number {
  return 2 + entryCount * ENTRY_BYTES + 4;
}
