import type { Box } from '../boxes.ts';
import { latin1Bytes } from '../cursor.ts';
import type { Range } from './range.ts';

/** Zeros in all of `erased` that `kept` has no claim on. */
export function eraseRanges(out: Uint8Array, erased: readonly Range[], kept: readonly Range[]): void {
  const sorted = kept.toSorted((a, b) => a.from - b.from);
  for (const { from, to } of erased) {
    let at = from;
    for (const claim of sorted) {
      if (claim.to <= at) continue;
      if (claim.from >= to) break;
      if (claim.from > at) out.fill(0, at, claim.from);
      at = Math.max(at, claim.to);
    }
    if (at < to) out.fill(0, at, to);
  }
}

/** A box of the same size that holds nothing. */
export function eraseBox(out: Uint8Array, { start, data, end }: Box): void {
  out.fill(0, data, end);
  out.set(latin1Bytes('free'), start + 4);
}

/** predefined u32 · handler · reserved · name: only what it handles stays. */
export function eraseHandlerName(out: Uint8Array, { data, end }: Box): void {
  out.fill(0, Math.min(end, data + 4), Math.min(end, data + 8));
  out.fill(0, Math.min(end, data + 12), end);
}
