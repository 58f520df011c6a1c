import { defineMergeMethod } from '../method.ts';
import { pairProducts, vectorsOf, walkVectors } from '../vectors.ts';

/** Lengths are taken to be at least this: a row of zeros is like nothing. */
const LEAST_NORM = 1e-8;

export default defineMergeMethod({
  id: 'extract-similar',
  title: 'Extract (dis)similar',
  description:
    'Keeps, row by row, what models A and B (or their differences from a base) have in common, or what sets them apart.',
  source:
    'sd-webui-supermerger, "extract": base + lerp(a, b, alpha) lerp(d, 1 - d, beta), d = ((cos(a, b) + 1) / 2)^gamma by rows',
  models: { min: 2, max: 2 },
  base: 'optional',
  weighted: false,
  params: {
    alpha: { default: 0, min: 0, max: 1, tooltip: 'What is kept a part of: 0 is A, 1 is B.' },
    beta: { default: 0, min: 0, max: 1, tooltip: '0 keeps what is similar, 1 what is not.' },
    gamma: {
      default: 1,
      min: 0,
      max: 100,
      tooltip: 'How alike rows must be to count as similar: higher is stricter.',
    },
  },
  version: 1,
  reach: 'tile',

  merge(tensor) {
    const { alpha, beta, gamma } = tensor.params;
    const vectors = vectorsOf(tensor.shape, 'rows');
    const { aa, bb, ab } = pairProducts(tensor, vectors);
    const shares = ab.map((product, row) => {
      const norms =
        Math.max(LEAST_NORM, Math.sqrt(aa[row] ?? 0)) * Math.max(LEAST_NORM, Math.sqrt(bb[row] ?? 0));
      const likeness = ((Math.min(1, Math.max(-1, product / norms)) + 1) / 2) ** gamma;
      return likeness + beta * (1 - 2 * likeness);
    });
    tensor.write(({ models: [a, b], base, start, length }, out) => {
      walkVectors(vectors, start, length, (i, row) => {
        const o = base?.[i] ?? 0;
        const x = a?.[i] ?? 0;
        const mixed = x + alpha * ((b?.[i] ?? 0) - x);
        out[i] = o + (mixed - o) * (shares[row] ?? 0);
      });
    });
  },
});
