import { listNames } from '../../../nodes/pipeline/finding.ts';
import type { WorkStep } from '../../../nodes/pipeline/manifest.ts';
import { type Scores, scoresOfSums } from '../../../nodes/pipeline/measure-scores.ts';
import { tableOfScores } from '../../../nodes/pipeline/measure-table.ts';
import type { SideModel } from '../side-task.ts';
import type { StepScores } from '../step-scores.ts';
import { type MeasureOptions, measureModels } from './measure-models.ts';

/**
 * Compares models, block by block and as a whole. Scores are those of `scoresOfSums`, with `elements` (that were
 * compared), `not_finite` (elements of all models that are NaN or infinite, and left out) and `unmatched` (tensors that
 * not all have in one shape).
 *
 * @param models the first is compared with each of the others.
 * @throws LineageError `file/unreadable`; the reason of the signal
 */
export async function analyseModels(
  { measures }: Pick<Extract<WorkStep, { type: 'analysis' }>, 'measures'>,
  models: readonly SideModel[],
  base: SideModel | undefined,
  options: MeasureOptions,
): Promise<StepScores> {
  const { blocks, whole, unmatched } = await measureModels(models, base, options);
  const scoresOf = (sums: typeof whole): Scores => scoresOfSums(sums, measures, base !== undefined);
  const byBlock = new Map([...blocks].map(([block, sums]) => [block, scoresOf(sums)]));
  const all = scoresOf(whole);
  const notFinite = whole.models.reduce((sum, { nan, infinite }) => sum + nan + infinite, 0);
  const counts = { elements: whole.compared, not_finite: notFinite, unmatched: unmatched.length };
  return {
    scores: { ...all, ...counts },
    blocks: Object.fromEntries(byBlock),
    notes: unmatched.length > 0 ? [`not alike in all models: ${listNames(unmatched)}`] : [],
    table: tableOfScores(byBlock, all),
  };
}
