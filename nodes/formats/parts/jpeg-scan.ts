import type { HuffmanTable } from './jpeg-huffman.ts';
import type { Range } from './range.ts';
import { Unreadable } from './unreadable.ts';

/**
 * Follows the coded data of a scan, code by code, to tell where they end: what stands between that place and the next
 * marker, decoders pass over. No sample is computed; of a progressive picture is kept which coefficients are not zero,
 * since these decide how many bits follow.
 *
 * @see ITU-T T.81, annexes F and G
 */

/** A component of a frame; blocks are eight samples wide and high. */
export type ScanComponent = {
  readonly id: number;
  readonly h: number;
  readonly v: number;
  /** Number of its quantisation table. */
  readonly quantisation: number;
  readonly blocksWide: number;
  readonly blocksHigh: number;
  /** The same, filled up to whole units of an interleaved scan. */
  readonly paddedWide: number;
  /** Of a progressive picture a bit for each coefficient, 2 words a block, those of the first 32 first. */
  readonly nonZero: Uint32Array;
};

/** The frame that scans belong to, in the units (MCUs and blocks) that their codes come in. */
export type ScanFrame = {
  readonly isProgressive: boolean;
  readonly unitsWide: number;
  readonly unitsHigh: number;
  readonly components: readonly ScanComponent[];
};

/** What a scan is read with. */
export type Scan = {
  readonly components: readonly {
    readonly component: ScanComponent;
    readonly dc: HuffmanTable | undefined;
    readonly ac: HuffmanTable | undefined;
  }[];
  /** First and last coefficient, in zigzag order. */
  readonly first: number;
  readonly last: number;
  /** Whether it adds a bit to what scans before it said. */
  readonly isRefined: boolean;
  /** Units between two restarts; 0 for none. */
  readonly restartInterval: number;
};

/** 1 Gi samples. Larger pictures are not looked through. */
const MAX_BLOCKS = 1 << 24;
/** Of all scans of a file: codes may stand for thousands of blocks. */
export const MAX_BLOCK_VISITS = 1 << 28;

/**
 * A frame header: precision u8 · height u16 · width u16 · components u8 · each: id u8 · h u4 · v u4 · table u8.
 *
 * @returns undefined for kinds of coding that are not followed (lossless, hierarchical, arithmetic), for a header that is
 *   cut off, and for pictures that are too large
 */
export function readFrame(marker: number, data: Uint8Array): ScanFrame | undefined {
  const isProgressive = marker === 0xc2;
  const count = data[5] ?? 0;
  if ((marker > 0xc1 && !isProgressive) || count === 0 || count > 4 || data.length < 6 + 3 * count)
    return undefined;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const [height, width] = [view.getUint16(1), view.getUint16(3)];
  const told = Array.from({ length: count }, (_, at) => {
    const [id = 0, sampling = 0, quantisation = 0] = data.subarray(6 + 3 * at, 9 + 3 * at);
    return { id, h: sampling >> 4, v: sampling & 15, quantisation };
  });
  if (told.some(({ h, v }) => h < 1 || h > 4 || v < 1 || v > 4)) return undefined;
  const [most, highest] = [Math.max(...told.map(({ h }) => h)), Math.max(...told.map(({ v }) => v))];
  const [unitsWide, unitsHigh] = [Math.ceil(width / (8 * most)), Math.ceil(height / (8 * highest))];
  const blocks = told.reduce((sum, { h, v }) => sum + unitsWide * h * unitsHigh * v, 0);
  if (blocks > MAX_BLOCKS) return undefined;
  const components = told.map(({ h, v, ...rest }) => ({
    ...rest,
    h,
    v,
    blocksWide: Math.ceil(Math.ceil((width * h) / most) / 8),
    blocksHigh: Math.ceil(Math.ceil((height * v) / highest) / 8),
    paddedWide: unitsWide * h,
    nonZero: new Uint32Array(isProgressive ? 2 * unitsWide * h * unitsHigh * v : 0),
  }));
  return { isProgressive, unitsWide, unitsHigh, components };
}

/**
 * The ranges of a scan that are coded data and restart markers; what lies between them is neither.
 *
 * @param from behind the scan's header
 * @param visits blocks that may still be visited; counted down
 * @returns undefined where the data cannot be followed
 */
export function readScan(
  bytes: Uint8Array,
  from: number,
  frame: ScanFrame,
  scan: Scan,
  visits: { left: number },
): Range[] | undefined {
  const [only] = scan.components;
  if (only === undefined) return undefined;
  const isAlone = scan.components.length === 1;
  const units = isAlone
    ? only.component.blocksWide * only.component.blocksHigh
    : frame.unitsWide * frame.unitsHigh;
  const perUnit = isAlone ? 1 : scan.components.reduce((sum, { component: { h, v } }) => sum + h * v, 0);
  visits.left -= units * perUnit;
  if (visits.left < 0) return undefined;
  const ranges: Range[] = [];
  let start = from;
  try {
    for (let unit = 0, restarts = 0; unit < units; restarts++) {
      const bits = openBits(bytes, start);
      const reader = openReader(bits, frame, scan);
      const stop = scan.restartInterval === 0 ? units : Math.min(units, unit + scan.restartInterval);
      for (; unit < stop; unit++) {
        if (isAlone)
          reader(only, unit % only.component.blocksWide, Math.floor(unit / only.component.blocksWide));
        else {
          const [x, y] = [unit % frame.unitsWide, Math.floor(unit / frame.unitsWide)];
          for (const each of scan.components) {
            const { h, v } = each.component;
            for (let row = 0; row < v; row++)
              for (let column = 0; column < h; column++) reader(each, x * h + column, y * v + row);
          }
        }
      }
      const end = endOfBits(bytes, start, bits.taken());
      ranges.push({ from: start, to: end });
      if (unit === units) break;
      const marker = nextMarker(bytes, end);
      if (bytes[marker + 1] !== 0xd0 + (restarts & 7)) return undefined;
      ranges.push({ from: marker, to: marker + 2 });
      start = marker + 2;
    }
  } catch (error) {
    if (error instanceof Unreadable) return undefined;
    throw error;
  }
  return ranges;
}

/** The last FF before a marker's code; behind an FF in the data follows 00. */
function nextMarker(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(0xff, from); at >= 0; at = bytes.indexOf(0xff, at + 1)) {
    const next = bytes[at + 1] ?? 0;
    if (next !== 0 && next !== 0xff) return at;
  }
  return bytes.length;
}

/** Where so many bits end, in whole bytes. */
function endOfBits(bytes: Uint8Array, from: number, bitCount: number): number {
  let at = from;
  for (let left = Math.ceil(bitCount / 8); left > 0; left--) at += bytes[at] === 0xff ? 2 : 1;
  return at;
}

type Bits = {
  /** The value of the next code. */
  code(table: HuffmanTable | undefined): number;
  /** The next bits as a number, 0 to 16 of them. */
  take(count: number): number;
  /** Bits that were taken. */
  taken(): number;
};

function openBits(bytes: Uint8Array, from: number): Bits {
  let at = from;
  let held = 0;
  let heldBits = 0;
  let taken = 0;
  // Bits that stand for what is not there.
  let madeUp = 0;
  const fill = (): void => {
    while (heldBits <= 16) {
      const byte = bytes[at] ?? 0xff;
      const isMarker = byte === 0xff && bytes[at + 1] !== 0;
      held = (held << 8) | (isMarker ? 0 : byte);
      heldBits += 8;
      if (isMarker) madeUp += 8;
      else at += byte === 0xff ? 2 : 1;
    }
  };
  const drop = (count: number): void => {
    heldBits -= count;
    taken += count;
    if (heldBits < madeUp) throw new Unreadable();
  };
  return {
    code(table) {
      if (table === undefined) throw new Unreadable();
      if (heldBits < 16) fill();
      const found = table.byBits[(held >>> (heldBits - 16)) & 0xffff] ?? 0;
      if (found === 0) throw new Unreadable();
      drop(found & 0xff);
      table.used[found >>> 8] = 1;
      return table.values[found >>> 8] ?? 0;
    },
    take(count) {
      if (count === 0) return 0;
      if (heldBits < count) fill();
      const value = (held >>> (heldBits - count)) & ((1 << count) - 1);
      drop(count);
      return value;
    },
    taken: () => taken,
  };
}

type Reader = (of: Scan['components'][number], x: number, y: number) => void;

/** Reads blocks of one interval between restarts. */
function openReader(bits: Bits, { isProgressive }: ScanFrame, { first, last, isRefined }: Scan): Reader {
  // Blocks still to come that hold nothing new.
  let empty = 0;

  const takeRun = (log: number): number => (1 << log) + bits.take(log);

  const sequential: Reader = ({ dc, ac }) => {
    bits.take(bits.code(dc) & 15);
    for (let k = 1; k < 64; k++) {
      const code = bits.code(ac);
      const [zeros, size] = [code >> 4, code & 15];
      if (size === 0 && zeros !== 15) break;
      k += zeros;
      bits.take(size);
    }
  };

  const newCoefficients: Reader = ({ component, ac }, x, y) => {
    if (empty > 0) {
      empty--;
      return;
    }
    const block = 2 * (y * component.paddedWide + x);
    for (let k = first; k <= last; k++) {
      const code = bits.code(ac);
      const [zeros, size] = [code >> 4, code & 15];
      if (size === 0 && zeros !== 15) {
        empty = takeRun(zeros) - 1;
        break;
      }
      k += zeros;
      bits.take(size);
      if (size > 0 && k < 64) setNonZero(component, block, k);
    }
  };

  const furtherBits: Reader = ({ component, ac }, x, y) => {
    const block = 2 * (y * component.paddedWide + x);
    let k = first;
    for (; empty === 0 && k <= last; k++) {
      const code = bits.code(ac);
      const size = code & 15;
      let zeros = code >> 4;
      if (size === 0 && zeros !== 15) {
        empty = takeRun(zeros);
        break;
      }
      if (size > 0) bits.take(1);
      for (; k <= last; k++) {
        if (isNonZero(component, block, k)) bits.take(1);
        else if (--zeros < 0) break;
      }
      if (size > 0 && k < 64) setNonZero(component, block, k);
    }
    if (empty === 0) return;
    for (; k <= last; k++) if (isNonZero(component, block, k)) bits.take(1);
    empty--;
  };

  if (!isProgressive) return sequential;
  if (first > 0) return isRefined ? furtherBits : newCoefficients;
  if (isRefined) return () => void bits.take(1);
  return ({ dc }) => void bits.take(bits.code(dc) & 15);
}

function isNonZero({ nonZero }: ScanComponent, block: number, k: number): boolean {
  return (((nonZero[block + (k >> 5)] ?? 0) >>> (k & 31)) & 1) === 1;
}

function setNonZero({ nonZero }: ScanComponent, block: number, k: number): void {
  const at = block + (k >> 5);
  nonZero[at] = (nonZero[at] ?? 0) | (1 << (k & 31));
}
