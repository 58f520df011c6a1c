import { constants, deflateRawSync } from 'node:zlib';
import { concatBytes } from '../assemble.ts';
import { u32beBytes } from '../cursor.ts';
import { Unreadable } from './unreadable.ts';

/**
 * Zlib streams piece by piece, in memory that does not grow with what they inflate to: Node's own inflates all of it at
 * once, or in callbacks.
 *
 * @see RFC 1950 and RFC 1951
 */

/** What a stream turned out to be. */
export type Inflated = {
  /** Bytes that it inflates to; more than were asked for where it goes on behind them. */
  readonly length: number;
  /** Bytes that the stream itself takes, where it was followed to its end. */
  readonly used: number;
};

const WINDOW_BYTES = 1 << 15;
const PIECE_BYTES = 1 << 20;
const MAX_MATCH = 258;
const MAX_CODE_BITS = 15;
/** Codes of so many bits are found in one step. */
const FAST_BITS = 10;
const END_OF_BLOCK = 256;
const LITERALS = 286;
const DISTANCES = 30;
/** The order in which lengths of the codes for lengths are given. */
const LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/** Of lengths from code 257 on, and of distances: the least, and the bits that add to it. */
const LENGTH_BASE = [
  ...[3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31],
  ...[35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258],
];
const LENGTH_EXTRA = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [
  ...[1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769],
  ...[1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577],
];
const DISTANCE_EXTRA = DISTANCE_BASE.map((_, code) => Math.max(0, (code >> 1) - 1));

type State = {
  readonly bytes: Uint8Array;
  at: number;
  /** Bits taken from the bytes and not used yet, the next one lowest. */
  held: number;
  bits: number;
  /** What was made last, before what is yet to be given away. */
  readonly out: Uint8Array;
  place: number;
  given: number;
  sum: number;
  readonly most: number;
  readonly take: (piece: Uint8Array) => void;
};

/**
 * Inflates the zlib stream that some bytes start with, whatever follows it.
 *
 * @param most bytes that are wanted; of a longer stream nothing behind them is looked at
 * @param take gets the first `most` bytes in pieces, which are overwritten once it returns
 * @returns undefined for what is no whole stream
 */
export function inflatePieces(
  bytes: Uint8Array,
  most: number,
  take: (piece: Uint8Array) => void = () => {},
): Inflated | undefined {
  const [method = 0, flags = 0] = bytes;
  const isZlib = (method & 15) === 8 && method >> 4 <= 7 && (method * 256 + flags) % 31 === 0;
  if (!isZlib || (flags & 0x20) !== 0) return undefined;
  const out = new Uint8Array(WINDOW_BYTES + PIECE_BYTES + MAX_MATCH);
  const state: State = {
    ...{ bytes, at: 2, held: 0, bits: 0 },
    ...{ out, place: WINDOW_BYTES, given: 0, sum: 1, most, take },
  };
  try {
    for (let isLast = false; !isLast && state.given <= most; ) {
      isLast = takeBits(state, 1) === 1;
      const kind = takeBits(state, 2);
      if (kind === 3) return undefined;
      if (kind === 0) copyStored(state);
      else inflateCodes(state, ...(kind === 1 ? FIXED_CODES : readCodes(state)));
    }
    giveAway(state);
    alignBytes(state);
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
  const used = state.at + 4;
  if (state.given > most) return { length: state.given, used };
  const sum = bytes.subarray(state.at, used);
  const isWhole = sum.length === 4 && Buffer.compare(sum, u32beBytes(state.sum)) === 0;
  return isWhole ? { length: state.given, used } : undefined;
}

/**
 * A zlib stream of the first bytes that another one inflates to.
 *
 * @param bytes of a stream that inflates to as many or more
 */
export function deflatedStart(bytes: Uint8Array, length: number): Uint8Array {
  // Blocks that end with a byte; each piece is deflated for itself.
  const blocks: Uint8Array[] = [];
  let sum = 1;
  inflatePieces(bytes, length, (piece) => {
    sum = adler32(sum, piece);
    blocks.push(deflateRawSync(piece, { finishFlush: constants.Z_SYNC_FLUSH }));
  });
  const lastBlock = Uint8Array.of(3, 0);
  return concatBytes(Uint8Array.of(0x78, 0x9c), ...blocks, lastBlock, u32beBytes(sum));
}

/** Hands out what was made, and keeps as much of it as distances reach back. */
function giveAway(state: State): void {
  const { out, place, given, most } = state;
  const made = place - WINDOW_BYTES;
  const piece = out.subarray(WINDOW_BYTES, WINDOW_BYTES + Math.min(made, Math.max(0, most - given)));
  if (piece.length > 0) state.take(piece);
  state.sum = adler32(state.sum, piece);
  state.given += made;
  out.copyWithin(0, place - WINDOW_BYTES, place);
  state.place = WINDOW_BYTES;
}

function adler32(start: number, bytes: Uint8Array): number {
  let [low, high] = [start & 0xffff, start >>> 16];
  for (let at = 0; at < bytes.length; ) {
    // So many that the sums stay whole numbers of 32 bits.
    const stop = Math.min(bytes.length, at + 3_800);
    for (; at < stop; at++) {
      low += bytes[at] ?? 0;
      high += low;
    }
    low %= 65_521;
    high %= 65_521;
  }
  return ((high << 16) | low) >>> 0;
}

/** @param count 13 at most */
function takeBits(state: State, count: number): number {
  while (state.bits < count) {
    if (state.at >= state.bytes.length) throw new Unreadable();
    state.held |= (state.bytes[state.at++] ?? 0) << state.bits;
    state.bits += 8;
  }
  const value = state.held & ((1 << count) - 1);
  state.held >>>= count;
  state.bits -= count;
  return value;
}

/** Whole bytes that were taken too soon go back. */
function alignBytes(state: State): void {
  state.at -= state.bits >> 3;
  state.held = 0;
  state.bits = 0;
}

/** length u16 LE · its complement · bytes */
function copyStored(state: State): void {
  const { bytes, out } = state;
  alignBytes(state);
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(state.at, state.at + 4);
  const length = a | (b << 8);
  const from = state.at + 4;
  if ((length ^ (c | (d << 8))) !== 0xffff || from + length > bytes.length) throw new Unreadable();
  // A block is shorter than a piece.
  if (state.place + length > out.length) giveAway(state);
  out.set(bytes.subarray(from, from + length), state.place);
  state.place += length;
  state.at = from + length;
  if (state.place >= WINDOW_BYTES + PIECE_BYTES) giveAway(state);
}

/** A prefix code. */
type Code = {
  /** By the next bits: length of the code in the low four, its symbol above; 0 for longer ones. */
  readonly fast: Uint16Array;
  readonly counts: Uint16Array;
  /** By length, then as they come. */
  readonly symbols: Uint16Array;
};

function codeOf(lengths: Uint8Array): Code {
  const counts = new Uint16Array(MAX_CODE_BITS + 1);
  for (const length of lengths) if (length > 0) counts[length] = (counts[length] ?? 0) + 1;
  const places = new Uint16Array(MAX_CODE_BITS + 2);
  let [left, total] = [1, 0];
  for (let length = 1; length <= MAX_CODE_BITS; length++) {
    const count = counts[length] ?? 0;
    left = 2 * left - count;
    if (left < 0) throw new Unreadable();
    total += count;
    places[length + 1] = total;
  }
  // But for a single code, none may be missing.
  if (left > 0 && total > 0 && (total > 1 || counts[1] !== 1)) throw new Unreadable();
  const symbols = new Uint16Array(total);
  for (const [symbol, length] of lengths.entries()) {
    if (length === 0) continue;
    const place = places[length] ?? 0;
    symbols[place] = symbol;
    places[length] = place + 1;
  }
  const fast = new Uint16Array(1 << FAST_BITS);
  let [code, place] = [0, 0];
  for (let length = 1; length <= FAST_BITS; length++, code <<= 1) {
    for (let left = counts[length] ?? 0; left > 0; left--, code++) {
      const entry = ((symbols[place++] ?? 0) << 4) | length;
      for (let at = reversed(code, length); at < fast.length; at += 1 << length) fast[at] = entry;
    }
  }
  return { fast, counts, symbols };
}

/** The highest bit of a code comes first. */
function reversed(code: number, length: number): number {
  let out = 0;
  for (let bit = 0; bit < length; bit++) out |= ((code >> bit) & 1) << (length - 1 - bit);
  return out;
}

/** As an entry of `fast`. */
function slowEntry({ counts, symbols }: Code, held: number): number {
  let [code, first, place] = [0, 0, 0];
  for (let length = 1; length <= MAX_CODE_BITS; length++) {
    code |= (held >>> (length - 1)) & 1;
    const count = counts[length] ?? 0;
    if (code - first < count) return ((symbols[place + code - first] ?? 0) << 4) | length;
    place += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  throw new Unreadable();
}

/** Of blocks that bring none of their own. */
const FIXED_CODES: readonly [Code, Code] = [
  codeOf(new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280)),
  codeOf(new Uint8Array(32).fill(5)),
];

function readCodes(state: State): [Code, Code] {
  const literals = takeBits(state, 5) + 257;
  const distances = takeBits(state, 5) + 1;
  if (literals > LITERALS || distances > DISTANCES) throw new Unreadable();
  const ofLengths = new Uint8Array(LENGTH_ORDER.length);
  const given = takeBits(state, 4) + 4;
  for (const symbol of LENGTH_ORDER.slice(0, given)) ofLengths[symbol] = takeBits(state, 3);
  const lengthCode = codeOf(ofLengths);
  const lengths = new Uint8Array(literals + distances);
  for (let at = 0; at < lengths.length; ) {
    const symbol = takeSymbol(state, lengthCode);
    if (symbol < 16) {
      lengths[at++] = symbol;
      continue;
    }
    if (symbol === 16 && at === 0) throw new Unreadable();
    const value = symbol === 16 ? (lengths[at - 1] ?? 0) : 0;
    const count =
      symbol === 16
        ? 3 + takeBits(state, 2)
        : symbol === 17
          ? 3 + takeBits(state, 3)
          : 11 + takeBits(state, 7);
    if (at + count > lengths.length) throw new Unreadable();
    lengths.fill(value, at, at + count);
    at += count;
  }
  if (lengths[END_OF_BLOCK] === 0) throw new Unreadable();
  return [codeOf(lengths.subarray(0, literals)), codeOf(lengths.subarray(literals))];
}

/** Of a code whose codes have seven bits at most. */
function takeSymbol(state: State, { fast }: Code): number {
  while (state.bits < 7 && state.at < state.bytes.length) {
    state.held |= (state.bytes[state.at++] ?? 0) << state.bits;
    state.bits += 8;
  }
  const entry = fast[state.held & ((1 << FAST_BITS) - 1)] ?? 0;
  if (entry === 0) throw new Unreadable();
  takeBits(state, entry & 15);
  return entry >> 4;
}

/** A block, up to its end or until more was made than is wanted. */
function inflateCodes(state: State, literals: Code, distances: Code): void {
  const { bytes, out } = state;
  const { fast } = literals;
  const full = WINDOW_BYTES + PIECE_BYTES;
  const mask = (1 << FAST_BITS) - 1;
  let { at, held, bits, place } = state;
  for (;;) {
    if (place >= full) {
      state.place = place;
      giveAway(state);
      place = state.place;
      if (state.given > state.most) break;
    }
    while (bits <= 16) {
      held |= (bytes[at++] ?? 0) << bits;
      bits += 8;
    }
    // Bits that stand for what is not there.
    if (at - (bits >> 3) > bytes.length) throw new Unreadable();
    let entry = fast[held & mask] ?? 0;
    if (entry === 0) entry = slowEntry(literals, held);
    held >>>= entry & 15;
    bits -= entry & 15;
    const symbol = entry >> 4;
    if (symbol < END_OF_BLOCK) {
      out[place++] = symbol;
      continue;
    }
    if (symbol === END_OF_BLOCK) break;
    while (bits <= 16) {
      held |= (bytes[at++] ?? 0) << bits;
      bits += 8;
    }
    const moreLength = LENGTH_EXTRA[symbol - 257] ?? -1;
    if (moreLength < 0) throw new Unreadable();
    const length = (LENGTH_BASE[symbol - 257] ?? 0) + (held & ((1 << moreLength) - 1));
    held >>>= moreLength;
    bits -= moreLength;
    while (bits <= 16) {
      held |= (bytes[at++] ?? 0) << bits;
      bits += 8;
    }
    entry = distances.fast[held & mask] ?? 0;
    if (entry === 0) entry = slowEntry(distances, held);
    held >>>= entry & 15;
    bits -= entry & 15;
    while (bits <= 16) {
      held |= (bytes[at++] ?? 0) << bits;
      bits += 8;
    }
    const moreDistance = DISTANCE_EXTRA[entry >> 4] ?? -1;
    if (moreDistance < 0) throw new Unreadable();
    const distance = (DISTANCE_BASE[entry >> 4] ?? 0) + (held & ((1 << moreDistance) - 1));
    held >>>= moreDistance;
    bits -= moreDistance;
    if (distance > state.given + place - WINDOW_BYTES) throw new Unreadable();
    const end = place + length;
    if (distance === 1) out.fill(out[place - 1] ?? 0, place, end);
    else for (let from = place - distance, to = place; to < end; ) out[to++] = out[from++] ?? 0;
    place = end;
  }
  Object.assign(state, { at, held, bits, place });
}
