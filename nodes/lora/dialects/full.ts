import type { Dialect } from './dialect.ts';

const needs: Dialect['needs'] = [['full']];

/** Whole differences beside low-rank ones: LyCORIS' `full` and `norm`, and what extractors write for small weights. */
export const FULL_WEIGHT: Dialect = {
  id: 'full',
  kind: 'diff',
  suffixes: { '.diff': 'full', '.w_norm': 'full' },
  needs,
  isScaled: false,
};

export const FULL_BIAS: Dialect = {
  id: 'full-bias',
  kind: 'diff',
  part: 'bias',
  suffixes: { '.diff_b': 'full', '.b_norm': 'full' },
  needs,
  isScaled: false,
};

/** The new weight itself (ComfyUI). */
export const SET_WEIGHT: Dialect = {
  id: 'set',
  kind: 'set',
  suffixes: { '.set_weight': 'full' },
  needs,
  isScaled: false,
};
