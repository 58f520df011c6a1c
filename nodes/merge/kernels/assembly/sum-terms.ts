/** The loops of all fused sums, in the order of their terms, each operation rounded to float32. */
import { ROW_BYTES, TABLE } from '../layout';
import { hasLarge, quarterAt, seeInputs, storeSums } from './fused-elements';

// @ts-ignore: decorator
@inline
export function addTerm(sum: v128, plus: v128, minus: v128, weight: v128): v128 {
  return f32x4.add(sum, f32x4.mul(f32x4.sub(plus, minus), weight));
}

/**
 * `w0 * a0 + w1 * (a1 - a0) + w2 * (a2 - a0) ...` over the rows of the table, 16 elements at a time. A turned
 * row has `a0 - a1`, which is not the same with a negative weight: zeros get other signs. An own loop for two
 * inputs was no faster (F16 6.5 against 6.3 GB/s).
 *
 * @param end of the rows
 * @param count a multiple of 16
 * @returns whether an input (F16 in integers) or a result (others) may be too large for this kernel
 */
// @ts-ignore: decorator
@inline
export function sumAround<T, Way>(scratch: usize, end: usize, out: usize, count: usize): bool {
  const table = scratch + TABLE;
  const first = <usize>load<u32>(table);
  const firstWeight = v128.load_splat<f32>(table, 4);
  let seen = i32x4.splat(0);
  const bytes: usize = count * sizeof<T>();
  for (let i: usize = 0; i < bytes; i += 16 * sizeof<T>()) {
    const from = first + i;
    seen = seeInputs<T, Way>(seen, from);
    const a0 = quarterAt<T, Way>(from, 0, scratch);
    const a1 = quarterAt<T, Way>(from, 1, scratch);
    const a2 = quarterAt<T, Way>(from, 2, scratch);
    const a3 = quarterAt<T, Way>(from, 3, scratch);
    let x0 = f32x4.mul(a0, firstWeight);
    let x1 = f32x4.mul(a1, firstWeight);
    let x2 = f32x4.mul(a2, firstWeight);
    let x3 = f32x4.mul(a3, firstWeight);
    for (let row = table + ROW_BYTES; row < end; row += ROW_BYTES) {
      const at = <usize>load<u32>(row) + i;
      const weight = v128.load_splat<f32>(row, 4);
      seen = seeInputs<T, Way>(seen, at);
      const b0 = quarterAt<T, Way>(at, 0, scratch);
      const b1 = quarterAt<T, Way>(at, 1, scratch);
      const b2 = quarterAt<T, Way>(at, 2, scratch);
      const b3 = quarterAt<T, Way>(at, 3, scratch);
      if (load<u32>(row, 8)) {
        x0 = addTerm(x0, a0, b0, weight);
        x1 = addTerm(x1, a1, b1, weight);
        x2 = addTerm(x2, a2, b2, weight);
        x3 = addTerm(x3, a3, b3, weight);
      } else {
        x0 = addTerm(x0, b0, a0, weight);
        x1 = addTerm(x1, b1, a1, weight);
        x2 = addTerm(x2, b2, a2, weight);
        x3 = addTerm(x3, b3, a3, weight);
      }
    }
    seen = storeSums<T, Way>(out + i, x0, x1, x2, x3, seen, scratch);
  }
  return hasLarge<T>(seen);
}

/** `w0 * a + w1 * (b - c)`: the rows are a, b, c, the weights w0, w1, none. Otherwise as `sumAround`. */
// @ts-ignore: decorator
@inline
export function sumDifference<T, Way>(scratch: usize, out: usize, count: usize): bool {
  const table = scratch + TABLE;
  const first = <usize>load<u32>(table);
  const firstWeight = v128.load_splat<f32>(table, 4);
  const plus = <usize>load<u32>(table, ROW_BYTES);
  const weight = v128.load_splat<f32>(table, ROW_BYTES + 4);
  const minus = <usize>load<u32>(table, 2 * ROW_BYTES);
  let seen = i32x4.splat(0);
  const bytes: usize = count * sizeof<T>();
  for (let i: usize = 0; i < bytes; i += 16 * sizeof<T>()) {
    const a = first + i;
    const b = plus + i;
    const c = minus + i;
    seen = seeInputs<T, Way>(seeInputs<T, Way>(seeInputs<T, Way>(seen, a), b), c);
    const x0 = f32x4.mul(quarterAt<T, Way>(a, 0, scratch), firstWeight);
    const x1 = f32x4.mul(quarterAt<T, Way>(a, 1, scratch), firstWeight);
    const x2 = f32x4.mul(quarterAt<T, Way>(a, 2, scratch), firstWeight);
    const x3 = f32x4.mul(quarterAt<T, Way>(a, 3, scratch), firstWeight);
    const y0 = addTerm(x0, quarterAt<T, Way>(b, 0, scratch), quarterAt<T, Way>(c, 0, scratch), weight);
    const y1 = addTerm(x1, quarterAt<T, Way>(b, 1, scratch), quarterAt<T, Way>(c, 1, scratch), weight);
    const y2 = addTerm(x2, quarterAt<T, Way>(b, 2, scratch), quarterAt<T, Way>(c, 2, scratch), weight);
    const y3 = addTerm(x3, quarterAt<T, Way>(b, 3, scratch), quarterAt<T, Way>(c, 3, scratch), weight);
    seen = storeSums<T, Way>(out + i, y0, y1, y2, y3, seen, scratch);
  }
  return hasLarge<T>(seen);
}
