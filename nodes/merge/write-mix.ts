import { type Origin, originIn } from './gram.ts';
import type { TensorMerge } from './method.ts';

/**
 * Writes `origin + Σ cᵢ * (model i - origin)`, or `Σ cᵢ * model i` from zero, in float64 with one rounding. Around an
 * origin, models that equal it give it bit for bit.
 *
 * @param coefficients one for each model.
 */
export function writeMix(
  tensor: Pick<TensorMerge, 'write'>,
  coefficients: readonly number[],
  origin: Origin,
): void {
  let sums = new Float64Array();
  tensor.write((tile, out) => {
    const from = originIn(tile, origin);
    if (sums.length < tile.length) sums = new Float64Array(tile.length);
    sums.fill(0);
    if (from) sums.set(from);
    tile.models.forEach((elements, model) => {
      const coefficient = coefficients[model] ?? 0;
      if (from) addDifferences(coefficient, elements, from, sums);
      else addElements(coefficient, elements, sums);
    });
    out.set(sums.length === out.length ? sums : sums.subarray(0, out.length));
  });
}

function addElements(coefficient: number, elements: Float32Array, sums: Float64Array): void {
  for (let i = 0; i < elements.length; i++) sums[i] = (sums[i] ?? 0) + coefficient * (elements[i] ?? 0);
}

function addDifferences(
  coefficient: number,
  elements: Float32Array,
  origin: Float32Array,
  sums: Float64Array,
): void {
  for (let i = 0; i < elements.length; i++) {
    sums[i] = (sums[i] ?? 0) + coefficient * ((elements[i] ?? 0) - (origin[i] ?? 0));
  }
}

/** Writes one model as it is. */
export function writeCopy(tensor: Pick<TensorMerge, 'write'>, model: number): void {
  tensor.write(({ models }, out) => {
    const elements = models[model];
    if (elements) out.set(elements);
  });
}
