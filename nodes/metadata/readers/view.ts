import { readContainer } from '../../formats/container.ts';
import { latin1 } from '../../formats/cursor.ts';
import type { ReaderView } from './reader.ts';

const ASCII_TYPE = 2;
const EXIF_IFD_POINTER = 0x8769;
const USER_COMMENT = 0x9286;
/** More entries than any directory holds; a lying count ends here. */
const MAX_ENTRIES = 1024;

/**
 * Opens a file for the readers.
 *
 * @param bytes a complete PNG, JPEG, WebP or AVIF; not modified. Byte members of the view look into it.
 * @throws LineageError as `readContainer` does; the readers themselves never throw
 */
export function viewFile(bytes: Uint8Array): ReaderView {
  const container = readContainer(bytes);
  const exif = container.exif ? viewExif(container.exif) : undefined;
  return {
    format: container.format,
    hasAlpha: container.hasAlpha,
    ...(container.format === 'avif' ? { majorBrand: latin1(bytes.subarray(8, 12)) } : {}),
    pngTexts: container.texts.map((text) => ({ ...text, compressed: text.chunk === 'zTXt' })),
    hasExif: exif !== undefined,
    bigEndian: exif?.bigEndian ?? true,
    ...(exif?.userComment ? { userComment: exif.userComment } : {}),
    ifd0Ascii: exif?.ifd0Ascii ?? [],
    comments: container.comments,
  };
}

/** What the readers look at in a TIFF block. */
type ExifView = Pick<ReaderView, 'bigEndian' | 'ifd0Ascii'> & { readonly userComment?: Uint8Array };

/**
 * Walks a TIFF block leniently: whatever does not fit is not there. Kept apart from our own EXIF code on purpose,
 * so that a mistake there does not hide here.
 *
 * @see https://www.itu.int/itudoc/itu-t/com16/tiff-fx/docs/tiff6.pdf section 2
 */
export function viewExif(block: Uint8Array): ExifView {
  const bigEndian = block[0] !== 0x49;
  const reader = { block, bigEndian };
  const ifd0 = entriesAt(reader, uint(reader, 4, 4));
  const exifIfd = ifd0.find((entry) => entry.tag === EXIF_IFD_POINTER);
  const comment = exifIfd && entriesAt(reader, exifIfd.field).find((entry) => entry.tag === USER_COMMENT);
  return {
    bigEndian,
    ifd0Ascii: ifd0
      .filter((entry) => entry.type === ASCII_TYPE)
      .map((entry) => ({ tag: entry.tag, bytes: bytesOf(block, entry) })),
    ...(comment ? { userComment: bytesOf(block, comment) } : {}),
  };
}

type Tiff = { readonly block: Uint8Array; readonly bigEndian: boolean };
type Entry = {
  readonly tag: number;
  readonly type: number;
  readonly count: number;
  /** Where the four bytes of the value field stand. */
  readonly at: number;
  /** Those four bytes as a number. */
  readonly field: number;
};

/** tag u16 · type u16 · count u32 · value or offset u32 */
function entriesAt(tiff: Tiff, offset: number): Entry[] {
  const entries: Entry[] = [];
  const count = Math.min(uint(tiff, offset, 2), MAX_ENTRIES);
  for (let i = 0; i < count; i++) {
    const at = offset + 2 + i * 12;
    if (at + 12 > tiff.block.length) break;
    entries.push({
      tag: uint(tiff, at, 2),
      type: uint(tiff, at + 2, 2),
      count: uint(tiff, at + 4, 4),
      at: at + 8,
      field: uint(tiff, at + 8, 4),
    });
  }
  return entries;
}

/** Only for types of one byte a value: ASCII and UNDEFINED. */
function bytesOf(block: Uint8Array, entry: Entry): Uint8Array {
  const start = entry.count <= 4 ? entry.at : entry.field;
  return block.subarray(start, start + entry.count);
}

/** Unsigned, `size` bytes; bytes behind the end count as 0. */
function uint({ block, bigEndian }: Tiff, at: number, size: number): number {
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (block[bigEndian ? at + i : at + size - 1 - i] ?? 0);
  return value;
}
