import { gramOf } from './gram.ts';
import type { TensorView } from './method.ts';

/** How a tensor falls into vectors: the vector of element `e` is `floor(e / run) % count`. */
export type Vectors = { readonly count: number; readonly run: number };

/**
 * The whole tensor as one vector; its rows, along the last dimension; or its columns, along the first. A tensor of one
 * dimension or none is one vector in any case.
 */
export function vectorsOf(shape: readonly number[], along: 'tensor' | 'rows' | 'columns'): Vectors {
  const size = shape.reduce((product, side) => product * side, 1);
  if (along === 'tensor' || shape.length < 2 || size === 0) return { count: 1, run: Math.max(1, size) };
  if (along === 'rows') {
    const run = shape.at(-1) ?? 1;
    return { count: size / run, run };
  }
  return { count: size / (shape[0] ?? 1), run: 1 };
}

/** Products of the first two models vector by vector, in float64: of each with itself, and with each other. */
export type PairProducts = {
  readonly aa: Float64Array;
  readonly bb: Float64Array;
  readonly ab: Float64Array;
};

/** Products of the first two models, less the base where there is one, in one visit. */
export function pairProducts(tensor: Pick<TensorView, 'count' | 'visit'>, vectors: Vectors): PairProducts {
  if (vectors.count === 1) {
    const [aa = 0, ab = 0, , bb = 0] = gramOf(tensor, 'base').products;
    return { aa: Float64Array.of(aa), bb: Float64Array.of(bb), ab: Float64Array.of(ab) };
  }
  const [aa, bb, ab] = [
    new Float64Array(vectors.count),
    new Float64Array(vectors.count),
    new Float64Array(vectors.count),
  ];
  tensor.visit(({ models: [a, b], base, start, length }) => {
    walkVectors(vectors, start, length, (i, vector) => {
      const o = base?.[i] ?? 0;
      const x = (a?.[i] ?? 0) - o;
      const y = (b?.[i] ?? 0) - o;
      aa[vector] = (aa[vector] ?? 0) + x * x;
      bb[vector] = (bb[vector] ?? 0) + y * y;
      ab[vector] = (ab[vector] ?? 0) + x * y;
    });
  });
  return { aa, bb, ab };
}

/** Goes over the elements of a tile, each with the vector it belongs to. */
export function walkVectors(
  { count, run }: Vectors,
  start: number,
  length: number,
  look: (index: number, vector: number) => void,
): void {
  let within = start % run;
  let vector = Math.floor(start / run) % count;
  for (let i = 0; i < length; i++) {
    look(i, vector);
    within++;
    if (within === run) {
      within = 0;
      vector = vector + 1 === count ? 0 : vector + 1;
    }
  }
}
