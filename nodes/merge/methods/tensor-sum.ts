import { defineMergeMethod } from '../method.ts';

/** Columns from which a tensor counts as wide. */
const WIDE = 100;

export default defineMergeMethod({
  id: 'tensor-sum',
  title: 'Tensor sum',
  description:
    'Cuts a share of rows out of each tensor of model B and puts them into model A. Nothing is mixed.',
  source:
    'sd-webui-supermerger, "tensor": rows from beta n to (alpha + beta) n are of B, on from the first row past the last',
  models: { min: 2, max: 2 },
  base: 'none',
  weighted: false,
  params: {
    alpha: { default: 0.5, min: 0, max: 1, tooltip: 'Share of rows that come from B: 0 is A, 1 is B.' },
    beta: { default: 0, min: 0, max: 1, tooltip: 'Where they begin, as a share of all rows.' },
    side: {
      default: 'rows',
      choices: ['rows', 'columns-if-wide'],
      tooltip:
        'rows: cut along the first dimension. columns-if-wide: along the second, where that has more than 100 (supermerger "tensor2").',
    },
    rounding: {
      default: 'truncate',
      choices: ['truncate', 'round'],
      tooltip: 'A part of a row is left out (supermerger), or counts from one half (sd-mecha).',
    },
  },
  version: 1,
  reach: 'tile',

  merge({ shape, size, params: { alpha, beta, side, rounding }, write }) {
    const axis = side === 'columns-if-wide' && (shape[1] ?? 0) > WIDE ? 1 : 0;
    const slices = shape[axis] ?? 1;
    const run = Math.max(1, size / shape.slice(0, axis + 1).reduce((product, length) => product * length, 1));
    // Only .5 itself differs from Math.round: to the even row, as Python rounds.
    const cut = (share: number): number =>
      rounding === 'truncate' ? Math.trunc(slices * share) : roundHalfToEven(slices * share);
    const wraps = alpha + beta > 1;
    const [from, to] = wraps ? [cut(alpha + beta - 1), cut(beta)] : [cut(beta), cut(alpha + beta)];
    write(({ models: [, b], start, length }, out) => {
      for (let i = 0; i < length; ) {
        const slice = Math.floor((start + i) / run) % slices;
        const end = Math.min(length, i + run - ((start + i) % run));
        const isOfB = (slice >= from && slice < to) !== wraps;
        for (; i < end; i++) if (isOfB) out[i] = b?.[i] ?? 0;
      }
    });
  },
});

function roundHalfToEven(value: number): number {
  const rounded = Math.round(value);
  return rounded - value === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
