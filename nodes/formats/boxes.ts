import { type ErrorCode, isLineageError, LineageError } from '../kit/errors.ts';
import { concatBytes } from './assemble.ts';
import { fourCharsAt, latin1, latin1Bytes, u32be, u32beBytes, u64be } from './cursor.ts';

/** ISO base media boxes. @see ISO/IEC 14496-12, 4.2 */
export type Box = {
  readonly type: string;
  /** Offset of the box; its content is [data, end). */
  readonly start: number;
  readonly data: number;
  readonly end: number;
  /** Size 0: the box goes on to the end of the file, whatever is added there. */
  readonly isOpenEnded: boolean;
};

/** Boxes on one level; a sane file has some tens. */
const MAX_BOXES = 10_000;
/** Boxes on the outermost level of a picture. */
const FILE_BOXES = new Set(['ftyp', 'meta', 'mdat', 'moov', 'moof', 'free', 'skip', 'uuid']);

/**
 * Lists the boxes of [from, to): size u32 BE (1: u64 behind the type, 0: to the end) · type (4 ASCII).
 *
 * @throws LineageError `code` for a box that does not lie inside the range
 */
export function listBoxes(bytes: Uint8Array, from: number, to: number, code: ErrorCode): Box[] {
  const boxes: Box[] = [];
  for (const box of walkBoxes(bytes, from, to, code)) boxes.push(box);
  return boxes;
}

/**
 * Lists the boxes of a file up to what is none: bytes that somebody else put behind the picture.
 *
 * @returns the boxes, and where the last one ends.
 * @throws LineageError `code` for a box of a common type that the file ends in: there it was cut off
 */
export function listFileBoxes(
  bytes: Uint8Array,
  code: ErrorCode,
): { readonly boxes: readonly Box[]; readonly end: number } {
  const boxes: Box[] = [];
  let end = 0;
  try {
    for (const box of walkBoxes(bytes, 0, bytes.length, code)) {
      if (box.isOpenEnded && !FILE_BOXES.has(box.type)) break;
      boxes.push(box);
      end = box.end;
    }
  } catch (error) {
    const type = latin1(bytes.subarray(end + 4, end + 8));
    if (!isLineageError(error, code) || FILE_BOXES.has(type) || boxes.length >= MAX_BOXES) throw error;
  }
  return { boxes, end };
}

function* walkBoxes(bytes: Uint8Array, from: number, to: number, code: ErrorCode): Generator<Box> {
  let count = 0;
  let start = from;
  while (start < to) {
    let size = u32be(bytes, start, code);
    const type = fourCharsAt(bytes, start + 4, code);
    const isOpenEnded = size === 0 && to === bytes.length;
    let head = 8;
    if (size === 1) {
      size = u64be(bytes, start + 8, code);
      head = 16;
    } else if (isOpenEnded) size = to - start;
    if (size < head || start + size > to) {
      throw new LineageError(code, `expected a ${printable(type)} box inside its parent, got ${size} bytes`, {
        byte: start,
      });
    }
    count++;
    if (count > MAX_BOXES)
      throw new LineageError(code, `expected at most ${MAX_BOXES} boxes, got more`, { byte: start });
    yield { type, start, data: start + head, end: start + size, isOpenEnded };
    start += size;
  }
}

function printable(type: string): string {
  return /^[\x20-\x7e]{4}$/.test(type) ? type : 'nameless';
}

/** size u32 BE · type (4 ASCII) · content */
export function makeBox(type: string, ...content: readonly Uint8Array[]): Uint8Array {
  let size = 8;
  for (const part of content) size += part.length;
  return concatBytes(u32beBytes(size), latin1Bytes(type), ...content);
}

/** A box whose content begins with version u8 · flags u24 BE. */
export function makeFullBox(
  type: string,
  version: number,
  flags: number,
  ...content: readonly Uint8Array[]
): Uint8Array {
  return makeBox(type, u32beBytes(version * 0x100_0000 + flags), ...content);
}
