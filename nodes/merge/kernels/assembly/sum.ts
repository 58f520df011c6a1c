/** Weighted sums of each format but F16 as processors convert it. */
import { BF16, F16 } from './formats';
import { Quick, Steady } from './fused-elements';
import { addTerm, sumAround, sumDifference } from './sum-terms';

export function sumAroundF16(scratch: usize, end: usize, out: usize, count: usize): bool {
  return sumAround<F16, Quick>(scratch, end, out, count);
}
export function sumAroundSteadyF16(scratch: usize, end: usize, out: usize, count: usize): bool {
  return sumAround<F16, Steady>(scratch, end, out, count);
}
export function sumAroundBF16(scratch: usize, end: usize, out: usize, count: usize): bool {
  return sumAround<BF16, Quick>(scratch, end, out, count);
}
export function sumAroundF32(scratch: usize, end: usize, out: usize, count: usize): bool {
  return sumAround<f32, Quick>(scratch, end, out, count);
}

export function sumDifferenceF16(scratch: usize, out: usize, count: usize): bool {
  return sumDifference<F16, Quick>(scratch, out, count);
}
export function sumDifferenceSteadyF16(scratch: usize, out: usize, count: usize): bool {
  return sumDifference<F16, Steady>(scratch, out, count);
}
export function sumDifferenceBF16(scratch: usize, out: usize, count: usize): bool {
  return sumDifference<BF16, Quick>(scratch, out, count);
}
export function sumDifferenceF32(scratch: usize, out: usize, count: usize): bool {
  return sumDifference<f32, Quick>(scratch, out, count);
}

/** `sum += weight * (plus - minus)`, float32, any count. A minuend alone has zeros beside it: x - 0 is x. */
export function addTermF32(plus: usize, minus: usize, weight: f32, sum: usize, count: usize): void {
  const weights = f32x4.splat(weight);
  const whole = count & ~(<usize>3);
  for (let i: usize = 0; i < whole << 2; i += 16)
    v128.store(sum + i, addTerm(v128.load(sum + i), v128.load(plus + i), v128.load(minus + i), weights));
  for (let i: usize = whole << 2; i < count << 2; i += 4)
    store<f32>(sum + i, load<f32>(sum + i) + (load<f32>(plus + i) - load<f32>(minus + i)) * weight);
}

/** Negative zeros, which change nothing that is added to them. @param count a multiple of 4 */
export function clearSum(sum: usize, count: usize): void {
  for (const end = sum + (count << 2); sum < end; sum += 16) v128.store(sum, i32x4.splat(0x80000000));
}
