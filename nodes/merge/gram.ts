import type { TensorView, Tile } from './method.ts';

/** Products of a tensor's models with each other, of which all spherical and nearest-point methods can be computed. */
export type Gram = {
  readonly count: number;
  /** `⟨model i - origin, model j - origin⟩` at `i * count + j`, symmetric; summed in float64. */
  readonly products: Float64Array;
  /** Whether every element is the same number in all models. */
  readonly isUniform: boolean;
};

/** What the vectors are counted from: nothing, the base (nothing where there is none), or the first model. */
export type Origin = 'zero' | 'base' | 'first';

/** Products of one tensor's models as whole vectors, in one visit. Without elements all are 0. */
export function gramOf(tensor: Pick<TensorView, 'count' | 'visit'>, origin: Origin): Gram {
  const { count } = tensor;
  // Sums of every fourth element each, so that one addition need not wait for the one before. Tiles begin at
  // multiples of 32: an element's lane does not depend on its tile.
  const lanes = new Float64Array(count * count * LANES);
  let isUniform = true;
  tensor.visit((tile) => {
    const from = originIn(tile, origin);
    tile.models.forEach((a, i) => {
      if (isUniform && i > 0) isUniform = isSame(a, tile.models[0] ?? a);
      for (let j = 0; j <= i; j++) {
        const sums = lanes.subarray((i * count + j) * LANES, (i * count + j + 1) * LANES);
        const b = tile.models[j] ?? a;
        if (from) addProductsAround(a, b, from, sums);
        else addProducts(a, b, sums);
      }
    });
  });
  const products = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      const [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = lanes.subarray((i * count + j) * LANES);
      products[i * count + j] = s0 + s1 + (s2 + s3);
      products[j * count + i] = products[i * count + j] ?? 0;
    }
  }
  return { count, products, isUniform };
}

/** The product of two of the vectors. */
export function productOf({ count, products }: Gram, i: number, j: number): number {
  return products[i * count + j] ?? 0;
}

/** The length of one of the vectors. */
export function normOf(gram: Gram, i: number): number {
  return Math.sqrt(productOf(gram, i, i));
}

/** The elements that an origin names; none for zero. */
export function originIn({ models, base }: Tile, origin: Origin): Float32Array | undefined {
  if (origin === 'first') return models[0];
  return origin === 'base' ? base : undefined;
}

const LANES = 4;

function addProducts(a: Float32Array, b: Float32Array, sums: Float64Array): void {
  let [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = sums;
  let i = 0;
  for (; i + 3 < a.length; i += LANES) {
    s0 += (a[i] ?? 0) * (b[i] ?? 0);
    s1 += (a[i + 1] ?? 0) * (b[i + 1] ?? 0);
    s2 += (a[i + 2] ?? 0) * (b[i + 2] ?? 0);
    s3 += (a[i + 3] ?? 0) * (b[i + 3] ?? 0);
  }
  sums.set([s0, s1, s2, s3]);
  for (let lane = 0; i < a.length; i++, lane++) {
    sums[lane] = (sums[lane] ?? 0) + (a[i] ?? 0) * (b[i] ?? 0);
  }
}

function addProductsAround(a: Float32Array, b: Float32Array, o: Float32Array, sums: Float64Array): void {
  let [s0 = 0, s1 = 0, s2 = 0, s3 = 0] = sums;
  let i = 0;
  for (; i + 3 < a.length; i += LANES) {
    s0 += ((a[i] ?? 0) - (o[i] ?? 0)) * ((b[i] ?? 0) - (o[i] ?? 0));
    s1 += ((a[i + 1] ?? 0) - (o[i + 1] ?? 0)) * ((b[i + 1] ?? 0) - (o[i + 1] ?? 0));
    s2 += ((a[i + 2] ?? 0) - (o[i + 2] ?? 0)) * ((b[i + 2] ?? 0) - (o[i + 2] ?? 0));
    s3 += ((a[i + 3] ?? 0) - (o[i + 3] ?? 0)) * ((b[i + 3] ?? 0) - (o[i + 3] ?? 0));
  }
  sums.set([s0, s1, s2, s3]);
  for (let lane = 0; i < a.length; i++, lane++) {
    sums[lane] = (sums[lane] ?? 0) + ((a[i] ?? 0) - (o[i] ?? 0)) * ((b[i] ?? 0) - (o[i] ?? 0));
  }
}

function isSame(a: Float32Array, b: Float32Array): boolean {
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}
