import { FLOAT_TAIL, RAW_TAIL } from './formats';
import { promote } from './half-instructions';

const GROUP: usize = 8;

// @ts-ignore: decorator
@inline
function decodeGroups(from: usize, to: usize, count: usize): void {
  for (const end = from + 2 * count; from < end; from += 2 * GROUP) {
    v128.store(to, promote(v128.load64_zero(from)));
    v128.store(to, promote(v128.load64_zero(from, 8)), 16);
    to += 4 * GROUP;
  }
}

/** What `decodeF16` does, with conversions that processors have. */
export function decodeHalf(scratch: usize, from: usize, to: usize, count: usize): void {
  const whole = count & ~(GROUP - 1);
  const rest = count - whole;
  decodeGroups(from, to, whole);
  if (!rest) return;
  const raw = scratch + RAW_TAIL;
  const floats = scratch + FLOAT_TAIL;
  memory.copy(raw, from + 2 * whole, 2 * rest);
  decodeGroups(raw, floats, GROUP);
  memory.copy(to + 4 * whole, floats, 4 * rest);
}
