import { LineageError } from '../kit/errors.ts';
import { frobeniusNorm, type Matrix } from './linear-algebra/matrix.ts';
import { multiply } from './linear-algebra/multiply.ts';
import { decompose } from './linear-algebra/svd.ts';
import { findTopSingularVectors } from './linear-algebra/top-singular-vectors.ts';
import { asMatrix, shapeError, type Tensor } from './tensor.ts';
import { chooseRank, type RankRule, type Split, type Truncated, truncate } from './truncation.ts';

/** How to extract. */
export type Extraction = {
  readonly rule: RankRule;
  readonly split?: Split;
  /**
   * Cuts all elements of both factors off at this quantile of them, as other tools do at 0.99: it costs a tenth of
   * the difference, and is off by default.
   */
  readonly clampQuantile?: number;
};

/**
 * A LoRA of the difference of two weights, the nearest of its rank; α is the rank. A given rank far below the weight's
 * is found without decomposing all of the difference.
 * @param tuned `[out, in, ...kernel]`, or `[out, in]`; `base` is of the same shape. Neither is modified.
 * @throws LineageError `lora/shape` for vectors too: their difference is no product; `lora/rank`, `lora/not-finite`
 */
export function factorDifference(
  tuned: Tensor,
  base: Tensor,
  { rule, split, clampQuantile }: Extraction,
): Truncated {
  const { shape } = base;
  if (tuned.shape.length !== shape.length || tuned.shape.some((side, axis) => side !== shape[axis])) {
    throw shapeError(`[${shape}]`, tuned.shape);
  }
  if (shape.length < 2) throw shapeError('a matrix or a convolution', shape);
  const difference = asMatrix(tuned);
  for (let i = 0; i < base.data.length; i++) {
    difference.data[i] = (difference.data[i] ?? 0) - (base.data[i] ?? 0);
  }
  const way = { split: clampQuantile === undefined ? (split ?? 'balanced') : 'up', scale: 1, shape } as const;
  const truncated =
    rule.by === 'rank' ? truncateAt(difference, rule, way) : truncateBy(difference, rule, way);
  return clampQuantile === undefined ? truncated : clamp(truncated, difference, clampQuantile);
}

type Way = Parameters<typeof truncate>[2];

function truncateBy(difference: Matrix, rule: RankRule, way: Way): Truncated {
  return truncate(
    decompose(difference, (values) => chooseRank(values, rule)),
    rule,
    way,
  );
}

/** Where the rank is known, no more vectors than that need to be found. */
function truncateAt(difference: Matrix, rule: RankRule, way: Way): Truncated {
  const rank = chooseRank(new Float64Array(Math.min(difference.rows, difference.columns)), rule);
  const { error, norm, ...top } = findTopSingularVectors(difference, rank);
  return { ...truncate(top, rule, way), error, relativeError: norm === 0 ? 0 : error / norm };
}

function clamp(truncated: Truncated, difference: Matrix, quantile: number): Truncated {
  const { up, down } = truncated.lora;
  const bound = quantileOf(up.data, down.data, quantile);
  const cut = (matrix: Matrix): Matrix => ({
    ...matrix,
    data: matrix.data.map((value) => Math.max(-bound, Math.min(bound, value))),
  });
  const lora = { ...truncated.lora, up: cut(up), down: cut(down) };
  const product = multiply(lora.up, lora.down);
  const error = frobeniusNorm(product.data.map((value, i) => value - (difference.data[i] ?? 0)));
  const norm = frobeniusNorm(difference.data);
  return { ...truncated, lora, error, relativeError: norm === 0 ? 0 : error / norm };
}

/** Of all values of both, with linear interpolation between neighbours. */
function quantileOf(first: Float64Array, second: Float64Array, quantile: number): number {
  if (!(quantile >= 0 && quantile <= 1)) {
    throw new LineageError('lora/rank', `expected a quantile between 0 and 1, got ${quantile}`);
  }
  const sorted = new Float64Array(first.length + second.length);
  sorted.set(first);
  sorted.set(second, first.length);
  sorted.sort();
  const at = quantile * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? 0, sorted[Math.ceil(at)] ?? 0];
  return low + (high - low) * (at - Math.floor(at));
}
