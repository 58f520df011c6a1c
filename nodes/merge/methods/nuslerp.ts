import { defineMergeMethod } from '../method.ts';
import { pairProducts, vectorsOf, walkVectors } from '../vectors.ts';
import { writeCopy, writeMix } from '../write-mix.ts';

/** Weights with a sum this close to 0 count as equal. */
const NO_SUM = 1e-6;
/** Norms are taken to be at least this. */
const LEAST_NORM = 1e-7;
const LEAST_SINE = 1e-8;

export default defineMergeMethod({
  id: 'nuslerp',
  title: 'NuSlerp',
  description:
    'Spherical interpolation between two models, or between their differences from a base, by their weights; of whole tensors, rows or columns.',
  source:
    'Shoemake 1985, doi:10.1145/325165.325242, at t = w2 / (w1 + w2); on raw norms, as mergekit nuslerp',
  models: { min: 2, max: 2 },
  base: 'optional',
  weighted: true,
  params: {
    vectors: {
      default: 'tensor',
      choices: ['tensor', 'rows', 'columns'],
      tooltip:
        'What is turned as one vector: the whole tensor, each row (last dimension), or each column (first dimension; mergekit calls it row_wise).',
    },
  },
  version: 1,
  reach: 'tile',

  merge(tensor) {
    const [w1 = 1, w2 = 1] = tensor.weights;
    const t = Math.abs(w1 + w2) < NO_SUM ? 0.5 : w2 / (w1 + w2);
    if (t === 0) return writeCopy(tensor, 0);
    if (t === 1) return writeCopy(tensor, 1);
    const vectors = vectorsOf(tensor.shape, tensor.params.vectors);
    const { aa, bb, ab } = pairProducts(tensor, vectors);
    if (vectors.count === 1) {
      const [wa, wb] = turn(t, aa[0] ?? 0, bb[0] ?? 0, ab[0] ?? 0);
      return wa === STRAIGHT ? writeMix(tensor, [0, t], 'first') : writeMix(tensor, [wa, wb], 'base');
    }
    // From here on the weights of each vector lie where its products were.
    for (let vector = 0; vector < vectors.count; vector++) {
      const [wa, wb] = turn(t, aa[vector] ?? 0, bb[vector] ?? 0, ab[vector] ?? 0);
      aa[vector] = wa;
      bb[vector] = wb;
    }
    return tensor.write(({ models: [a, b], base, start, length }, out) => {
      walkVectors(vectors, start, length, (i, vector) => {
        const x = a?.[i] ?? 0;
        const y = b?.[i] ?? 0;
        const wa = aa[vector] ?? 0;
        const wb = bb[vector] ?? 0;
        const o = base?.[i] ?? 0;
        if (wa === STRAIGHT) out[i] = x + t * (y - x);
        else out[i] = o + (wa * (x - o) + wb * (y - o));
      });
    });
  },
});

/** Stands for the weight of A where vectors are mixed in a straight line: no weight is infinite. */
const STRAIGHT = Number.POSITIVE_INFINITY;

/** Weights of two vectors of which the products are known. */
function turn(t: number, aa: number, bb: number, ab: number): readonly [number, number] {
  // Of vectors that are alike, however short.
  if (aa === ab && bb === ab) return [STRAIGHT, t];
  const norms = Math.max(LEAST_NORM, Math.sqrt(aa)) * Math.max(LEAST_NORM, Math.sqrt(bb));
  const angle = Math.acos(Math.min(1, Math.max(-1, ab / norms)));
  const sine = Math.sin(angle);
  if (sine < LEAST_SINE) return [STRAIGHT, t];
  return [Math.sin((1 - t) * angle) / sine, Math.sin(t * angle) / sine];
}
