/**
 * How to make one file from another: ranges to copy, and the bytes between them. For files that are nearly the same,
 * such as a picture before and after its metadata was replaced.
 */
export type ByteDelta = {
  /** In the order of the target: `[from, length]` copies from the source, a number takes so many of `kept`. */
  readonly parts: readonly (readonly [from: number, length: number] | number)[];
  /** What the source does not hold. */
  readonly kept: Uint8Array;
};

/** The shortest range worth copying; a range costs about as much to write down. */
const BLOCK_BYTES_MIN = 32;
/** Longer files are looked through in larger blocks, so that the index stays at 2 MiB. */
const BLOCKS_MAX = 1 << 17;
const FACTOR = 0x01000193;
/** Blocks of equal hash that turn out to differ: real files have a few. Beyond, the rest is kept as it is. */
const DISAPPOINTMENTS_MAX = 10_000;
const STRIDE = 1 << 16;

/**
 * Finds what of `target` stands in `source`, wherever it stands: what both begin and end with, then by the rolling
 * hashes of blocks. Time grows with the lengths alone; what is not found is kept, so the result always holds.
 *
 * @param source at most 2^31 - 1 bytes, as `target`; neither is modified nor retained.
 * @see Tridgell, Efficient Algorithms for Sorting and Synchronization (1999), chapter 3
 */
export function makeDelta(source: Uint8Array, target: Uint8Array): ByteDelta {
  const shorter = Math.min(source.length, target.length);
  const start = countEqual(source, target, 0, 0, shorter);
  const tail = countEqualBack(source, target, source.length, target.length, shorter - start);
  const end = target.length - tail;
  const sourceEnd = source.length - tail;

  const draft = new Draft(target);
  draft.copy(0, 0, start);
  const block = blockBytes(sourceEnd - start);
  if (end - start >= block && sourceEnd - start >= block) {
    const index = indexBlocks(source, start, sourceEnd, block);
    findRanges(source, target, { start, end, sourceEnd, block, index }, draft);
  }
  draft.copy(sourceEnd, end, tail);
  return draft.finish();
}

/**
 * Makes the target again.
 *
 * @returns undefined where the delta does not belong to this source: a range outside of it, or bytes missing.
 */
export function applyDelta(source: Uint8Array, { parts, kept }: ByteDelta): Uint8Array | undefined {
  let total = 0;
  let wanted = 0;
  for (const part of parts) {
    const [from, length] = typeof part === 'number' ? [0, part] : part;
    if (!isCount(from) || !isCount(length)) return undefined;
    if (typeof part === 'number') wanted += length;
    else if (from + length > source.length) return undefined;
    total += length;
  }
  // A few ranges could claim any number of bytes.
  if (wanted !== kept.length || total > 2 ** 31 - 1) return undefined;
  const out = new Uint8Array(total);
  let at = 0;
  let taken = 0;
  for (const part of parts) {
    const bytes =
      typeof part === 'number'
        ? kept.subarray(taken, taken + part)
        : source.subarray(part[0], part[0] + part[1]);
    if (typeof part === 'number') taken += part;
    out.set(bytes, at);
    at += bytes.length;
  }
  return out;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

/** Parts as they are found; what lies between two copies is kept. */
class Draft {
  readonly #target: Uint8Array;
  readonly #parts: (readonly [number, number] | number)[] = [];
  readonly #kept: Uint8Array[] = [];
  /** The end of what is described so far. */
  #at = 0;

  constructor(target: Uint8Array) {
    this.#target = target;
  }

  get at(): number {
    return this.#at;
  }

  copy(from: number, to: number, length: number): void {
    this.#keepUpTo(to);
    if (length > 0) this.#parts.push([from, length]);
    this.#at = to + length;
  }

  finish(): ByteDelta {
    this.#keepUpTo(this.#target.length);
    return { parts: this.#parts, kept: new Uint8Array(Buffer.concat(this.#kept)) };
  }

  #keepUpTo(end: number): void {
    if (end <= this.#at) return;
    this.#parts.push(end - this.#at);
    this.#kept.push(this.#target.subarray(this.#at, end));
    this.#at = end;
  }
}

type Search = {
  readonly start: number;
  readonly end: number;
  readonly sourceEnd: number;
  readonly block: number;
  readonly index: BlockIndex;
};

type BlockIndex = {
  /** Where in the source a block of this slot's hash begins, plus one; 0 for none. */
  readonly slots: Int32Array;
  /** Leaves as many bits of a hash as there are slots. */
  readonly shift: number;
};

function findRanges(source: Uint8Array, target: Uint8Array, search: Search, draft: Draft): void {
  const { start, end, sourceEnd, block } = search;
  const { slots, shift } = search.index;
  const gone = powerOf(block - 1);
  let disappointments = 0;
  let at = start;
  let hash = hashOf(target, at, block);
  while (disappointments < DISAPPOINTMENTS_MAX) {
    const found = (slots[slotOf(hash, shift)] ?? 0) - 1;
    if (found >= 0) {
      const same = countEqual(source, target, found, at, Math.min(sourceEnd - found, end - at));
      if (same >= block) {
        const back = countEqualBack(source, target, found, at, Math.min(found - start, at - draft.at));
        draft.copy(found - back, at - back, same + back);
        at += same;
        if (at + block > end) return;
        hash = hashOf(target, at, block);
        continue;
      }
      disappointments++;
    }
    if (at + block >= end) return;
    hash = Math.imul(hash - Math.imul(target[at] ?? 0, gone), FACTOR) + (target[at + block] ?? 0);
    at++;
  }
}

function indexBlocks(source: Uint8Array, start: number, end: number, block: number): BlockIndex {
  // Half empty, so that few hashes share a slot; small for small files, of which there are many.
  const bits = 2 + Math.ceil(Math.log2(Math.max(1, (end - start) / block)));
  const index = new Int32Array(1 << bits);
  const shift = 32 - bits;
  for (let at = start; at + block <= end; at += block) {
    const slot = slotOf(hashOf(source, at, block), shift);
    // The first of equal blocks: what follows it is matched by going on.
    if (index[slot] === 0) index[slot] = at + 1;
  }
  return { slots: index, shift };
}

function blockBytes(length: number): number {
  let bytes = BLOCK_BYTES_MIN;
  while (length / bytes > BLOCKS_MAX) bytes *= 2;
  return bytes;
}

/** A polynomial of the bytes, modulo 2^32. */
function hashOf(bytes: Uint8Array, from: number, length: number): number {
  let hash = 0;
  for (let at = from; at < from + length; at++) hash = Math.imul(hash, FACTOR) + (bytes[at] ?? 0);
  return hash | 0;
}

function powerOf(exponent: number): number {
  let power = 1;
  for (let i = 0; i < exponent; i++) power = Math.imul(power, FACTOR);
  return power;
}

/** The upper bits of a product are mixed best. */
function slotOf(hash: number, shift: number): number {
  return Math.imul(hash, 0x9e3779b1) >>> shift;
}

/** How many bytes from `a` and `b` on are equal, `max` at most. */
function countEqual(left: Uint8Array, right: Uint8Array, a: number, b: number, max: number): number {
  let equal = 0;
  while (equal + STRIDE <= max && compare(left, right, a + equal, b + equal, STRIDE) === 0) equal += STRIDE;
  while (equal < max && left[a + equal] === right[b + equal]) equal++;
  return equal;
}

/** How many bytes up to `a` and `b` are equal, `max` at most. */
function countEqualBack(left: Uint8Array, right: Uint8Array, a: number, b: number, max: number): number {
  let equal = 0;
  while (equal + STRIDE <= max) {
    const more = equal + STRIDE;
    if (compare(left, right, a - more, b - more, STRIDE) !== 0) break;
    equal = more;
  }
  while (equal < max && left[a - equal - 1] === right[b - equal - 1]) equal++;
  return equal;
}

function compare(left: Uint8Array, right: Uint8Array, a: number, b: number, length: number): number {
  return Buffer.compare(left.subarray(a, a + length), right.subarray(b, b + length));
}
