import { Unreadable } from './unreadable.ts';

/**
 * Follows the coded data of a lossless WebP, code by code, to tell where they end. No pixel of the picture is computed,
 * but for the small image that says which codes are used where.
 *
 * @see https://developers.google.com/speed/webp/docs/webp_lossless_bitstream_specification (RFC 9649, section 3)
 */

const SIGNATURE = 0x2f;
const MAX_SIDE_BITS = 14;
const LITERALS = 256;
const LENGTHS = 24;
const DISTANCES = 40;
const CODES_OF_A_GROUP = 5;
/** The order in which lengths of the codes for lengths are given. */
const LENGTH_ORDER = [17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const TRANSFORM = { predictor: 0, colour: 1, green: 2, palette: 3 } as const;
/** Short distances, by code from 1: rows up in the high four bits, 8 less the columns to the left in the low. */
const NEAR = Buffer.from(
  '1807171928062729161a262a38053739151b363a252b48044749141c353b464a242c58454b343c03' +
    '5759131d565a232d444c555b333d68026769121e666a222e545c434d656b323e78017779535d111f' +
    '646c424e767a212f757b313f636d525e00747c414f1020626e30737d515f40727e616f50717f6070',
  'hex',
);
/** Images that say which codes are used where are small; more groups than this would take gigabytes. */
const MAX_GROUPS = 10_000;
const MAX_CODE_BITS = 15;

/** Pixels of all pictures of a file together: 8192 by 8192. Codes of no bits could stand for any number. */
export const MAX_LOSSLESS_PIXELS = 1 << 26;

type Bits = { take(count: number): number; taken(): number };

/**
 * Bytes of the coded picture that a VP8L chunk, or a compressed ALPH chunk, begins with.
 *
 * @param room pixels that may still be followed; counted down
 * @param size of an alpha plane, which has no header of its own
 * @returns undefined where the data cannot be followed
 */
export function losslessBytes(
  data: Uint8Array,
  room: { left: number },
  size?: { readonly width: number; readonly height: number },
): number | undefined {
  try {
    const bits = openBits(data);
    if (size === undefined && bits.take(8) !== SIGNATURE) return undefined;
    const width = size?.width ?? bits.take(MAX_SIDE_BITS) + 1;
    const height = size?.height ?? bits.take(MAX_SIDE_BITS) + 1;
    // Alpha u1, version u3.
    if (size === undefined && bits.take(4) >> 1 !== 0) return undefined;
    room.left -= width * height;
    if (room.left < 0) return undefined;
    readPicture(bits, width, height);
    return Math.ceil(bits.taken() / 8);
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
}

/** The lowest bit of a byte comes first. */
function openBits(data: Uint8Array): Bits {
  let at = 0;
  const total = data.length * 8;
  return {
    take(count) {
      if (at + count > total) throw new Unreadable();
      let value = 0;
      for (let got = 0; got < count; ) {
        const step = Math.min(8 - (at & 7), count - got);
        value |= (((data[at >> 3] ?? 0) >> (at & 7)) & ((1 << step) - 1)) << got;
        got += step;
        at += step;
      }
      return value;
    },
    taken: () => at,
  };
}

function readPicture(bits: Bits, width: number, height: number): void {
  let wide = width;
  const seen = new Set<number>();
  while (bits.take(1) === 1) {
    const kind = bits.take(2);
    if (seen.has(kind)) throw new Unreadable();
    seen.add(kind);
    if (kind === TRANSFORM.predictor || kind === TRANSFORM.colour) {
      const side = bits.take(3) + 2;
      readImage(bits, parts(wide, side), parts(height, side), false);
    } else if (kind === TRANSFORM.palette) {
      const colours = bits.take(8) + 1;
      readImage(bits, colours, 1, false);
      // Of few colours, several pixels share a byte.
      wide = parts(wide, colours > 16 ? 0 : colours > 4 ? 1 : colours > 2 ? 2 : 3);
    }
  }
  readImage(bits, wide, height, true);
}

function parts(side: number, log: number): number {
  return Math.ceil(side / 2 ** log);
}

/** A prefix code. */
type Code = (bits: Bits) => number;
type Group = readonly Code[];

/** @param isMain only the picture itself may use several groups of codes; the pixels of the others are given back */
function readImage(bits: Bits, width: number, height: number, isMain: boolean): Uint32Array {
  const cacheBits = bits.take(1) === 1 ? bits.take(4) : 0;
  if (cacheBits > 11) throw new Unreadable();
  let side = 0;
  let groupOf = new Uint32Array(0);
  let groupCount = 1;
  if (isMain && bits.take(1) === 1) {
    side = bits.take(3) + 2;
    groupOf = readImage(bits, parts(width, side), parts(height, side), false).map(
      (pixel) => (pixel >>> 8) & 0xffff,
    );
    groupCount = 1 + groupOf.reduce((most, each) => Math.max(most, each), 0);
    if (groupCount > MAX_GROUPS) throw new Unreadable();
  }
  const sizes = [LITERALS + LENGTHS + (cacheBits === 0 ? 0 : 1 << cacheBits), 256, 256, 256, DISTANCES];
  const groups: Group[] = [];
  for (let group = 0; group < groupCount; group++) {
    const codes: Code[] = [];
    for (let code = 0; code < CODES_OF_A_GROUP; code++) codes.push(readCode(bits, sizes[code] ?? 0));
    groups.push(codes);
  }
  const across = parts(width, side);
  const groupAt = (at: number): Group => {
    const place = across * (Math.floor(at / width) >> side) + ((at % width) >> side);
    return groups[groupOf[place] ?? 0] ?? [];
  };
  return readPixels(bits, width, width * height, cacheBits, groupAt, !isMain);
}

function readPixels(
  bits: Bits,
  width: number,
  total: number,
  cacheBits: number,
  groupAt: (at: number) => Group,
  isKept: boolean,
): Uint32Array {
  const pixels = new Uint32Array(isKept ? total : 0);
  const cache = new Uint32Array(cacheBits === 0 ? 0 : 1 << cacheBits);
  const keep = (at: number, pixel: number): void => {
    if (!isKept) return;
    pixels[at] = pixel;
    if (cacheBits > 0) cache[Math.imul(0x1e35a7bd, pixel) >>> (32 - cacheBits)] = pixel;
  };
  for (let at = 0; at < total; ) {
    const [main, red, blue, alpha, far] = groupAt(at);
    if (!main || !red || !blue || !alpha || !far) throw new Unreadable();
    const code = main(bits);
    if (code < LITERALS) {
      const [r, b, a] = [red(bits), blue(bits), alpha(bits)];
      keep(at++, ((a << 24) | (r << 16) | (code << 8) | b) >>> 0);
    } else if (code < LITERALS + LENGTHS) {
      const length = readRun(bits, code - LITERALS);
      const distance = distanceOf(readRun(bits, far(bits)), width);
      if (distance > at || at + length > total) throw new Unreadable();
      const end = at + length;
      if (isKept) for (let each = at; each < end; each++) keep(each, pixels[each - distance] ?? 0);
      at = end;
    } else keep(at++, cache[code - LITERALS - LENGTHS] ?? 0);
  }
  return pixels;
}

/** Of lengths and distances: a prefix, and bits that follow it. */
function readRun(bits: Bits, prefix: number): number {
  if (prefix < 4) return prefix + 1;
  const extra = (prefix - 2) >> 1;
  return ((2 + (prefix & 1)) << extra) + bits.take(extra) + 1;
}

function distanceOf(code: number, width: number): number {
  const near = NEAR[code - 1];
  return near === undefined ? code - NEAR.length : Math.max(1, (near >> 4) * width + 8 - (near & 15));
}

function readCode(bits: Bits, size: number): Code {
  const lengths = new Uint8Array(size);
  if (bits.take(1) === 1) {
    const isTwo = bits.take(1) === 1;
    const first = bits.take(bits.take(1) === 1 ? 8 : 1);
    const symbols = isTwo ? [first, bits.take(8)] : [first];
    for (const symbol of symbols) {
      if (symbol >= size) throw new Unreadable();
      lengths[symbol] = 1;
    }
    return codeOf(lengths);
  }
  const ofLengths = new Uint8Array(LENGTH_ORDER.length);
  const count = bits.take(4) + 4;
  if (count > LENGTH_ORDER.length) throw new Unreadable();
  for (const symbol of LENGTH_ORDER.slice(0, count)) ofLengths[symbol] = bits.take(3);
  const lengthCode = codeOf(ofLengths);
  let left = bits.take(1) === 1 ? 2 + bits.take(2 + 2 * bits.take(3)) : size;
  if (left > size) throw new Unreadable();
  let before = 8;
  for (let symbol = 0; symbol < size && left > 0; left--) {
    const length = lengthCode(bits);
    if (length < 16) {
      lengths[symbol++] = length;
      if (length > 0) before = length;
      continue;
    }
    const run = length === 16 ? 3 + bits.take(2) : length === 17 ? 3 + bits.take(3) : 11 + bits.take(7);
    if (symbol + run > size) throw new Unreadable();
    if (length === 16) lengths.fill(before, symbol, symbol + run);
    symbol += run;
  }
  return codeOf(lengths);
}

/** The highest bit of a code comes first; a code of one symbol takes no bits. */
function codeOf(lengths: Uint8Array): Code {
  const counts = new Uint32Array(MAX_CODE_BITS + 1);
  const symbols: number[] = [];
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    counts[length] = (counts[length] ?? 0) + 1;
    symbols.push(symbol);
  }
  const [only] = symbols;
  if (only === undefined) throw new Unreadable();
  if (symbols.length === 1) return () => only;
  symbols.sort((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  return (bits) => {
    let [code, first, place] = [0, 0, 0];
    for (let length = 1; length <= MAX_CODE_BITS; length++) {
      code |= bits.take(1);
      const count = counts[length] ?? 0;
      if (code - first < count) return symbols[place + code - first] ?? 0;
      place += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new Unreadable();
  };
}
