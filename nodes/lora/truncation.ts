import { LineageError } from '../kit/errors.ts';
import type { LoraFactors } from './kinds/lora.ts';
import { firstColumns, firstRows, type Matrix, scaleColumns, scaleRows } from './linear-algebra/matrix.ts';
import type { Svd } from './linear-algebra/svd.ts';

/**
 * How many singular values to keep; at most `maxRank` where that is given. The three of sd-scripts' resizing go by
 * its names; there they look at factors without their scale.
 */
export type RankRule =
  | { readonly by: 'rank'; readonly rank: number }
  /** The fewest whose squares sum up to this share of all. */
  | { readonly by: 'energy'; readonly share: number; readonly maxRank?: number }
  /** The fewest that leave a relative Frobenius error of at most this. */
  | { readonly by: 'error'; readonly relative: number; readonly maxRank?: number }
  /** `sv_ratio`: those above the largest over `value`. `sv_cumulative`: the fewest whose sum is this share of all.
   * `sv_fro`: the fewest whose root of squares is this share of all. */
  | {
      readonly by: 'sv_ratio' | 'sv_cumulative' | 'sv_fro';
      readonly value: number;
      readonly maxRank?: number;
      /** As sd-scripts counted until February 2026: one more than needed. */
      readonly keepsOneMore?: true;
    };

/** Where the singular values go: half into each factor, which keeps both in the range of fp16; or all into the upper. */
export type Split = 'balanced' | 'up';

/** A LoRA of a lower rank, and what that cost. */
export type Truncated = {
  readonly lora: LoraFactors;
  readonly rank: number;
  /** ‖before - after‖ in the Frobenius norm, of the scaled difference. */
  readonly error: number;
  /** The same over ‖before‖; 0 for a zero difference. */
  readonly relativeError: number;
};

/** sd-scripts takes a matrix for zero below this. */
const SMALLEST_VALUE = 1e-6;

/**
 * How many of the singular values a rule keeps: at least 1, at most all.
 * @param values descending.
 * @throws LineageError `lora/rank` for a rule that no rank can meet.
 */
export function chooseRank(values: Float64Array, rule: RankRule): number {
  const wanted = countWanted(values, rule);
  const most = rule.by === 'rank' ? undefined : rule.maxRank;
  if (most !== undefined && !(Number.isInteger(most) && most >= 1)) throw rankError('a rank', most);
  return Math.max(1, Math.min(wanted, most ?? values.length, values.length));
}

function countWanted(values: Float64Array, rule: RankRule): number {
  if (rule.by === 'rank') {
    if (!(Number.isInteger(rule.rank) && rule.rank >= 1)) throw rankError('a rank', rule.rank);
    return rule.rank;
  }
  const largest = values[0] ?? 0;
  const squares = values.map((value) => value * value);
  if (rule.by === 'energy') return countUpTo(squares, checkShare(rule.share));
  if (rule.by === 'error') return countForError(squares, checkShare(rule.relative));
  if (largest <= SMALLEST_VALUE) return 1;
  const extra = rule.keepsOneMore ? 1 : 0;
  if (rule.by === 'sv_ratio') {
    if (!(rule.value >= 1)) throw rankError('a ratio of at least 1', rule.value);
    return Math.max(1, values.filter((value) => value > largest / rule.value).length) + extra;
  }
  const share = checkShare(rule.value);
  return (rule.by === 'sv_fro' ? countUpTo(squares, share * share) : countUpTo(values, share)) + extra;
}

/** The fewest of the first whose sum is at least this share of the sum of all. */
function countUpTo(parts: Float64Array, share: number): number {
  const total = parts.reduce((sum, part) => sum + part, 0);
  let sum = 0;
  for (const [i, part] of parts.entries()) {
    sum += part;
    if (sum >= share * total) return i + 1;
  }
  return parts.length;
}

/** Summed from the smallest on: small errors are then exact. */
function countForError(squares: Float64Array, relative: number): number {
  const total = squares.reduceRight((sum, square) => sum + square, 0);
  let rest = 0;
  for (let count = squares.length; count > 0; count--) {
    rest += squares[count - 1] ?? 0;
    if (Math.sqrt(rest) > relative * Math.sqrt(total)) return count;
  }
  return 1;
}

/**
 * Keeps the first singular values.
 * @param scale of the difference: it stays beside the factors.
 * @param shape of the difference.
 */
export function truncate(
  { u, s, vt }: Svd,
  rule: RankRule,
  { split, scale, shape }: { split: Split; scale: number; shape: readonly number[] },
): Truncated {
  const rank = chooseRank(s, rule);
  const rest = normOf(s.subarray(rank));
  const all = normOf(s);
  const above = s.subarray(0, rank).map((value) => (split === 'up' ? value : Math.sqrt(value)));
  const up: Matrix = scaleColumns(firstColumns(u, rank), above);
  const right = firstRows(vt, rank);
  const down = split === 'up' ? right : scaleRows(right, above);
  return {
    lora: { up, down, scale, shape },
    rank,
    error: Math.abs(scale) * rest,
    relativeError: all === 0 ? 0 : rest / all,
  };
}

/** Of values that descend, summed from the smallest on. */
function normOf(values: Float64Array): number {
  return Math.sqrt(values.reduceRight((sum, value) => sum + value * value, 0));
}

function checkShare(share: number): number {
  if (!(share >= 0 && share <= 1)) throw rankError('a share between 0 and 1', share);
  return share;
}

function rankError(expected: string, got: number): LineageError {
  return new LineageError('lora/rank', `expected ${expected}, got ${got}`);
}
