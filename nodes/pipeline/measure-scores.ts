import { pairIndex, type Sums } from './measure-tile.ts';

/**
 * What a step found, by name: conditions and optimisations ask for these. What no number can tell is `none`, which is
 * neither above nor below any.
 */
export type Scores = Readonly<Record<string, number | string | boolean>>;

/** What an analysis may be asked for. */
export type Measure = 'cosine' | 'norms' | 'sign_conflicts' | 'shares';

/**
 * The scores of some elements; with a base everything is about what sets the models apart from it.
 *
 * `cosine[i]`, `angle[i]` (degrees): between the first model and model i; `cosine` is the least, `angle` the greatest.
 * `norm[i]`: Frobenius; `change[i]`: over the norm of the base. `sign_conflicts`: of the elements that at least two
 * models set, the share that they set to different signs. `share[i]`: of the elements of the first model, those nearest
 * to model i, and `share[base]`; `share[tied]`: those equally near to several.
 */
export function scoresOfSums(sums: Sums, measures: readonly Measure[], hasBase: boolean): Scores {
  const models = sums.models.map((_, i) => i);
  const scores: Record<string, number> = {};
  if (measures.includes('cosine')) {
    const cosines = models.slice(1).map((i) => cosineOf(sums, 0, i));
    cosines.forEach((cosine, i) => {
      scores[`cosine[${i + 1}]`] = cosine;
      scores[`angle[${i + 1}]`] = degrees(cosine);
    });
    if (cosines.length > 0) scores['cosine'] = Math.min(...cosines);
    if (cosines.length > 0) scores['angle'] = degrees(Math.min(...cosines));
  }
  if (measures.includes('norms'))
    for (const i of models) {
      scores[`norm[${i}]`] = normOf(sums, i);
      if (hasBase) scores[`change[${i}]`] = changeOf(sums, i);
    }
  if (measures.includes('sign_conflicts')) scores['sign_conflicts'] = sums.conflicts / sums.contested;
  if (measures.includes('shares') && sums.nearest.length > 0) {
    sums.nearest.forEach((count, i) => {
      const isBase = hasBase && i === sums.nearest.length - 1;
      scores[`share[${isBase ? 'base' : i + 1}]`] = count / sums.compared;
    });
    scores['share[tied]'] = sums.ties / sums.compared;
  }
  return Object.fromEntries(
    Object.entries(scores).map(([name, value]) => [name, Number.isFinite(value) ? value : 'none']),
  );
}

/** ‖model - base‖ / ‖base‖: 0 where both are 0, infinite where only the base is. */
export function changeOf(sums: Sums, model: number): number {
  const norm = normOf(sums, model);
  return norm === 0 ? 0 : norm / Math.sqrt(sums.baseSquare);
}

/** NaN where one of them is 0. */
function cosineOf(sums: Sums, i: number, j: number): number {
  const product = sums.products[pairIndex(i, j)] ?? 0;
  const cosine = product / (normOf(sums, i) * normOf(sums, j));
  return Math.max(-1, Math.min(1, cosine));
}

function normOf({ products }: Sums, i: number): number {
  return Math.sqrt(products[pairIndex(i, i)] ?? 0);
}

function degrees(cosine: number): number {
  return (Math.acos(cosine) * 180) / Math.PI;
}
