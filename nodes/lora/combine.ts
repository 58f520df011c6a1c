import { LineageError } from '../kit/errors.ts';
import type { LoraFactors } from './kinds/lora.ts';
import { joinColumns, joinRows, scaleMatrix } from './linear-algebra/matrix.ts';
import { decomposeProduct } from './linear-algebra/svd.ts';
import { shapeError } from './tensor.ts';
import { chooseRank, type RankRule, type Split, type Truncated, truncate } from './truncation.ts';

/** A LoRA and what it counts; weights may be negative, and need not sum to 1. */
export type Weighted = { readonly lora: LoraFactors; readonly weight: number };

/**
 * The weighted sum of LoRAs as one, exactly: the factors beside each other, of the sum of the ranks. Each part's
 * coefficient, weight times α over r, goes half into either factor, its sign into the upper one; the scale is then 1.
 * @param parts at least one, all of one shape.
 * @throws LineageError `lora/shape`
 */
export function concatenate(parts: readonly Weighted[]): LoraFactors {
  const first = parts[0];
  if (!first) throw new LineageError('lora/incomplete', 'expected at least one LoRA, got none');
  const { rows } = first.lora.up;
  const { columns } = first.lora.down;
  const ups = [];
  const downs = [];
  for (const { lora, weight } of parts) {
    const { up, down, scale } = lora;
    if (up.rows !== rows || down.columns !== columns || up.columns !== down.rows) {
      throw shapeError(`factors of [${rows},${columns}]`, [up.rows, up.columns, down.rows, down.columns]);
    }
    const coefficient = weight * scale;
    const root = Math.sqrt(Math.abs(coefficient));
    ups.push(scaleMatrix(up, coefficient < 0 ? -root : root));
    downs.push(scaleMatrix(down, root));
  }
  return { up: joinColumns(ups), down: joinRows(downs), scale: 1, shape: first.lora.shape };
}

/**
 * The weighted sum of LoRAs at a chosen rank, the nearest there is in the Frobenius norm. The difference is never
 * formed: QR of the concatenated factors and the decomposition of the small core.
 * @throws LineageError `lora/shape`, `lora/rank`, `lora/not-finite`
 * @see Eckart, Young 1936, doi:10.1007/BF02288367
 */
export function mergeBySvd(parts: readonly Weighted[], rule: RankRule, split: Split = 'balanced'): Truncated {
  const { up, down, shape } = concatenate(parts);
  return truncate(
    decomposeProduct(up, down, (values) => chooseRank(values, rule)),
    rule,
    { split, scale: 1, shape },
  );
}

/**
 * The same LoRA at another rank. Its scale stays, so α follows the rank, as sd-scripts has it.
 * @throws LineageError `lora/rank`, `lora/not-finite`
 */
export function resizeLora(
  { up, down, scale, shape }: LoraFactors,
  rule: RankRule,
  split: Split = 'balanced',
): Truncated {
  return truncate(
    decomposeProduct(up, down, (values) => chooseRank(values, rule)),
    rule,
    { split, scale, shape },
  );
}
