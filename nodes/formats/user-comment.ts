import { isUtf8 } from 'node:buffer';
import { LineageError } from '../kit/errors.ts';
import { concatBytes } from './assemble.ts';
import { latin1, latin1Bytes } from './cursor.ts';

/** EXIF's UserComment: an eight-byte character code, then the text. @see Exif 3.0, section 4.6.6 (tag 0x9286) */
export type UserComment = {
  readonly encoding: 'ascii' | 'unicode' | 'jis' | 'undefined';
  readonly text: string;
};

const CODE_BYTES = 8;
const ENCODINGS: Readonly<Record<string, UserComment['encoding']>> = {
  'ASCII\0\0\0': 'ascii',
  'UNICODE\0': 'unicode',
  'JIS\0\0\0\0\0': 'jis',
  '\0\0\0\0\0\0\0\0': 'undefined',
};
/** Line end, space, comma and colon: in every parameters text, and each the start of a rare block when turned round. */
const MARKS: ReadonlySet<number> = new Set([0x0a, 0x20, 0x2c, 0x3a]);

/** Decodes a UserComment; one without a known code is taken whole, as `undefined`. NULs at the end are dropped. */
export function readUserComment(value: Uint8Array): UserComment {
  const encoding = ENCODINGS[latin1(value.subarray(0, CODE_BYTES))];
  const body = encoding === undefined ? value : value.subarray(CODE_BYTES);
  return { encoding: encoding ?? 'undefined', text: withoutNuls(decode(body, encoding)) };
}

function decode(body: Uint8Array, encoding: UserComment['encoding'] | undefined): string {
  if (encoding === 'unicode')
    return new TextDecoder(guessUtf16(body)).decode(body.subarray(0, body.length & ~1));
  if (encoding === 'jis') return new TextDecoder('iso-2022-jp').decode(body);
  return textOf(body);
}

/** UTF-8 where the bytes are that (ASCII is), else Latin-1. */
export function textOf(bytes: Uint8Array): string {
  return isUtf8(bytes) ? new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes) : latin1(bytes);
}

/** Cuts NULs off the end, in linear time. */
export function withoutNuls(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 0) end--;
  return text.slice(0, end);
}

/**
 * A byte-order mark decides; else the order in which more spaces, line ends, commas and colons appear, for the
 * characters that these become in the wrong one (U+2000, U+0A00...) hardly occur; else the side on which more zero
 * bytes lie is the high one; else big-endian. Zero bytes alone mislead: U+4E00, the commonest ideograph, holds one.
 */
function guessUtf16(body: Uint8Array): 'utf-16be' | 'utf-16le' {
  if (body[0] === 0xff && body[1] === 0xfe) return 'utf-16le';
  if (body[0] === 0xfe && body[1] === 0xff) return 'utf-16be';
  const big = { marks: 0, zeros: 0 };
  const little = { marks: 0, zeros: 0 };
  for (let at = 0; at + 1 < body.length; at += 2) {
    const [first = 0, second = 0] = [body[at], body[at + 1]];
    if (first === 0) {
      big.zeros++;
      if (MARKS.has(second)) big.marks++;
    }
    if (second === 0) {
      little.zeros++;
      if (MARKS.has(first)) little.marks++;
    }
  }
  const difference = little.marks - big.marks || little.zeros - big.zeros;
  return difference > 0 ? 'utf-16le' : 'utf-16be';
}

/**
 * Encodes a UserComment. `unicode` is UTF-16BE without a byte-order mark whatever the block's order: readers of
 * A1111's family assume it. `ascii` takes half the room.
 *
 * @throws LineageError `exif/not-ascii` for `ascii` text that is not
 */
export function makeUserComment(text: string, encoding: 'unicode' | 'ascii'): Uint8Array {
  if (encoding === 'ascii') return concatBytes(latin1Bytes('ASCII\0\0\0'), asciiBytes(text));
  return concatBytes(latin1Bytes('UNICODE\0'), new Uint8Array(Buffer.from(text, 'utf16le').swap16()));
}

/** Text as bytes, where every character is ASCII and none is NUL. */
export function asciiBytes(text: string): Uint8Array {
  const found = /[^\x01-\x7f]/.exec(text);
  if (found !== null) {
    const code = text.charCodeAt(found.index).toString(16).padStart(4, '0');
    throw new LineageError('exif/not-ascii', `expected ASCII text, got U+${code} at ${found.index}`);
  }
  return latin1Bytes(text);
}
