import { Buffer } from 'node:buffer';
import { type FloatDtype, floatBytes } from './floats.ts';

/** How far the floats of two tensors are apart; parts are added with `addUlps`. */
export type UlpCounts = {
  readonly elements: number;
  /** Elements that are not the same number. +0 and -0 are one, and so are all NaNs. */
  readonly different: number;
  /** Of these, the ones where only one of the two is NaN: there is no distance between them. */
  readonly nan: number;
  /** The largest distance in steps from one value of the type to the next; infinity follows the largest number. */
  readonly largest: number;
  /** The first element with that distance; undefined where it is 0. */
  readonly at?: number;
};

/** Of nothing: where counting begins. */
export const NO_ULPS: UlpCounts = { elements: 0, different: 0, nan: 0, largest: 0 };

/** Bits of a float without its sign: the largest ones that are no NaN, which are infinity where the type has it. */
const LAST: Readonly<Record<Exclude<FloatDtype, 'F64'>, number>> = {
  F32: 0x7f80_0000,
  F16: 0x7c00,
  BF16: 0x7f80,
  F8_E4M3: 0x7e,
  F8_E5M2: 0x7c,
};
const LAST_F64 = 0x7ff0_0000_0000_0000n;

/**
 * Compares floats of one type, by their bits.
 *
 * @param a little-endian, at a multiple of the element's size in its buffer; `b` alike, and as long.
 * @throws RangeError if the lengths do not fit
 */
export function compareFloats(dtype: FloatDtype, a: Uint8Array, b: Uint8Array): UlpCounts {
  const width = floatBytes(dtype);
  if (a.length !== b.length || a.length % width !== 0)
    throw new RangeError(`expected two runs of ${dtype}, as long, got ${a.length} and ${b.length} bytes`);
  const elements = a.length / width;
  if (Buffer.compare(a, b) === 0) return { ...NO_ULPS, elements };
  if (dtype === 'F64') return compareDoubles(wordsOf(a), wordsOf(b));
  return compareCodes(codesOf(a, width), codesOf(b, width), LAST[dtype], 2 ** (8 * width - 1) - 1);
}

/** Counts of a run and of the one behind it. */
export function addUlps(a: UlpCounts, b: UlpCounts): UlpCounts {
  const at = b.largest > a.largest && b.at !== undefined ? a.elements + b.at : a.at;
  return {
    elements: a.elements + b.elements,
    different: a.different + b.different,
    nan: a.nan + b.nan,
    largest: Math.max(a.largest, b.largest),
    ...(at !== undefined && { at }),
  };
}

type Codes = Uint8Array | Uint16Array | Uint32Array;

function codesOf({ buffer, byteOffset, length }: Uint8Array, width: number): Codes {
  if (width === 1) return new Uint8Array(buffer, byteOffset, length);
  if (width === 2) return new Uint16Array(buffer, byteOffset, length / 2);
  return new Uint32Array(buffer, byteOffset, length / 4);
}

function wordsOf({ buffer, byteOffset, length }: Uint8Array): BigInt64Array {
  return new BigInt64Array(buffer, byteOffset, length / 8);
}

/** @param mask of all bits but the sign. */
function compareCodes(a: Codes, b: Codes, last: number, mask: number): UlpCounts {
  let [different, nan, largest, at] = [0, 0, 0, -1];
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a[i] ?? 0, b[i] ?? 0];
    if (one === other) continue;
    const [size, otherSize] = [one & mask, other & mask];
    if (size > last || otherSize > last) {
      if (size > last && otherSize > last) continue;
      different++;
      nan++;
      continue;
    }
    // On the line of all values, zero being 0.
    const distance = Math.abs((one > mask ? -size : size) - (other > mask ? -otherSize : otherSize));
    if (distance > 0) different++;
    if (distance > largest) [largest, at] = [distance, i];
  }
  return { elements: a.length, different, nan, largest, ...(at >= 0 && { at }) };
}

/** 64 bits are more than a number holds exactly; the distance is rounded to one. */
function compareDoubles(a: BigInt64Array, b: BigInt64Array): UlpCounts {
  let [different, nan, largest, at] = [0, 0, 0n, -1];
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a[i] ?? 0n, b[i] ?? 0n];
    if (one === other) continue;
    const [place, otherPlace] = [placeOf(one), placeOf(other)];
    const [isNan, isOtherNan] = [isBeyond(place), isBeyond(otherPlace)];
    if (isNan || isOtherNan) {
      if (isNan && isOtherNan) continue;
      different++;
      nan++;
      continue;
    }
    const distance = place > otherPlace ? place - otherPlace : otherPlace - place;
    if (distance > 0n) different++;
    if (distance > largest) [largest, at] = [distance, i];
  }
  return { elements: a.length, different, nan, largest: Number(largest), ...(at >= 0 && { at }) };
}

function placeOf(bits: bigint): bigint {
  const size = bits & 0x7fff_ffff_ffff_ffffn;
  return bits < 0n ? -size : size;
}

function isBeyond(place: bigint): boolean {
  return place > LAST_F64 || place < -LAST_F64;
}
