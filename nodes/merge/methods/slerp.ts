import { gramOf, normOf, productOf } from '../gram.ts';
import { defineMergeMethod } from '../method.ts';
import { writeCopy, writeMix } from '../write-mix.ts';

/** Tensors shorter than this are too close to zero to have a direction. */
const NO_DIRECTION = 1e-8;
/** Below it, sin(angle) is no safe divisor, whatever the parameter says. */
const LEAST_SINE = 1e-8;

export default defineMergeMethod({
  id: 'slerp',
  title: 'Slerp',
  description:
    'Turns model A towards model B along the arc between them, each tensor as one vector; in a straight line where they are all but parallel.',
  source:
    'Shoemake 1985, doi:10.1145/325165.325242; on raw norms, straight beyond a cosine of 0.9995, as mergekit does',
  models: { min: 2, max: 2 },
  base: 'none',
  weighted: false,
  params: {
    t: { default: 0.5, min: 0, max: 1, tooltip: 'How far to turn: 0 is A, 1 is B.' },
    norms: {
      default: 'raw',
      choices: ['raw', 'interpolated'],
      tooltip:
        'raw: mix the tensors as they are (mergekit). interpolated: mix their directions, and give the result the norm in between (sd-mecha).',
    },
    parallel: {
      default: 0.9995,
      min: 0.9,
      max: 1,
      tooltip:
        'Cosine beyond which tensors, parallel or opposite, are mixed in a straight line. At 1: hardly ever.',
    },
  },
  version: 1,
  reach: 'tile',

  merge(tensor) {
    const { t, norms, parallel } = tensor.params;
    if (t === 0) return writeCopy(tensor, 0);
    if (t === 1) return writeCopy(tensor, 1);
    const gram = gramOf(tensor, 'zero');
    const [a, b] = [normOf(gram, 0), normOf(gram, 1)];
    const [unitA, unitB] = [a > NO_DIRECTION ? a : 1, b > NO_DIRECTION ? b : 1];
    const cosine = Math.min(1, Math.max(-1, productOf(gram, 0, 1) / unitA / unitB));
    const angle = Math.acos(cosine);
    const sine = Math.sin(angle);
    if (gram.isUniform || Math.abs(cosine) > parallel || sine < LEAST_SINE) {
      return writeMix(tensor, [0, t], 'first');
    }
    const wa = Math.sin((1 - t) * angle) / sine;
    const wb = Math.sin(t * angle) / sine;
    const between = (1 - t) * a + t * b;
    return writeMix(
      tensor,
      norms === 'raw' ? [wa, wb] : [(wa * between) / unitA, (wb * between) / unitB],
      'zero',
    );
  },
});
