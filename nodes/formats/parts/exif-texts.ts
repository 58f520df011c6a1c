import { isLineageError } from '../../kit/errors.ts';
import { latin1, latin1Bytes } from '../cursor.ts';
import { type ByteOrder, EXIF_IFD, readIfd, readTiffHeader, type TiffEntry, TYPE } from '../tiff.ts';
import { readUserComment, textOf } from '../user-comment.ts';

const USER_COMMENT = 0x9286;
const GPS_IFD = 0x8825;
const INTEROPERABILITY_IFD = 0xa005;
const POINTERS = new Set([EXIF_IFD, GPS_IFD, INTEROPERABILITY_IFD]);
/** Windows Explorer's title, comment, author, keywords and subject: UTF-16, little-endian. */
const WINDOWS_TEXTS = { first: 0x9c9b, last: 0x9c9f } as const;
/** More directories than any block chains; circles end here. */
const MAX_DIRECTORIES = 32;
const CODE_BYTES = 8;

/**
 * Hands every text of an EXIF block to `change`, wherever its directories keep it, and puts what comes back in its
 * place: no value moves, and one that got shorter is filled with spaces.
 *
 * @param block a TIFF structure; not modified
 * @param change must not give a longer text
 * @returns a block of the same length. A damaged directory ends its chain.
 */
export function mapExifTexts(block: Uint8Array, change: (text: string) => string): Uint8Array {
  // Not by slice: that of a Buffer is a view.
  const out = Uint8Array.from(block);
  for (const { value, tag, type } of entriesOf(out)) {
    if (value === undefined) continue;
    if (tag === USER_COMMENT) changeComment(value, change);
    else if (tag >= WINDOWS_TEXTS.first && tag <= WINDOWS_TEXTS.last) changeUtf16(value, 'II', change);
    else if (type === TYPE.ascii) changeBytes(value, change);
  }
  return out;
}

function* entriesOf(block: Uint8Array): Generator<TiffEntry> {
  const waiting: number[] = [];
  const seen = new Set<number>();
  try {
    const { order, ifd0At } = readTiffHeader(block);
    waiting.push(ifd0At);
    for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) {
      if (at === 0 || seen.has(at) || seen.size >= MAX_DIRECTORIES) continue;
      seen.add(at);
      const { entries, next } = readIfd(block, at, order);
      for (const entry of entries) {
        if (POINTERS.has(entry.tag) && entry.value?.length === 4) {
          const pointer = new DataView(entry.value.buffer, entry.value.byteOffset, 4);
          waiting.push(pointer.getUint32(0, order === 'II'));
        }
        yield entry;
      }
      waiting.push(next);
    }
  } catch (error) {
    if (!isLineageError(error, 'exif/malformed')) throw error;
  }
}

function changeBytes(value: Uint8Array, change: (text: string) => string): void {
  const before = textOf(value);
  const body = before.replace(/\0+$/, '');
  const after = change(body);
  if (after === body) return;
  const isLatin1 = latin1(value) === before;
  fill(value, isLatin1 ? latin1Bytes(after) : new TextEncoder().encode(after), Uint8Array.of(0x20), 1);
}

function changeUtf16(value: Uint8Array, order: ByteOrder, change: (text: string) => string): void {
  const decoder = new TextDecoder(order === 'II' ? 'utf-16le' : 'utf-16be', { ignoreBOM: true });
  const before = decoder.decode(value.subarray(0, value.length & ~1)).replace(/\0+$/, '');
  const after = change(before);
  if (after === before) return;
  const encoded = Buffer.from(after, 'utf16le');
  if (order === 'MM') encoded.swap16();
  fill(value, encoded, order === 'II' ? Uint8Array.of(0x20, 0) : Uint8Array.of(0, 0x20), 0);
}

/** UTF-16 in the order that the text was read in, whatever the block's is. */
function changeComment(value: Uint8Array, change: (text: string) => string): void {
  const { encoding, text } = readUserComment(value);
  const body = value.subarray(CODE_BYTES);
  if (encoding !== 'unicode') {
    changeBytes(encoding === 'undefined' && !isCoded(value) ? value : body, change);
    return;
  }
  const big = new TextDecoder('utf-16be').decode(body.subarray(0, body.length & ~1));
  changeUtf16(body, big.startsWith(text) ? 'MM' : 'II', change);
}

function isCoded(value: Uint8Array): boolean {
  return value.subarray(0, CODE_BYTES).every((byte) => byte === 0) || latin1(value.subarray(0, 3)) === 'JIS';
}

/** The text, then padding, then `closing` NUL bytes: readers of JSON take spaces at its end, but no NUL. */
function fill(value: Uint8Array, text: Uint8Array, padding: Uint8Array, closing: number): void {
  const room = value.length - closing;
  value.fill(0);
  for (let at = Math.min(text.length, room); at + padding.length <= room; at += padding.length)
    value.set(padding, at);
  value.set(text.subarray(0, room));
}
