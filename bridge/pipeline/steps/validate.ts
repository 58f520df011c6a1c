import { checkStructure } from '../../../nodes/pipeline/check-structure.ts';
import type { FileFacts } from '../../../nodes/pipeline/facts.ts';
import { listNames } from '../../../nodes/pipeline/finding.ts';
import type { WorkStep } from '../../../nodes/pipeline/manifest.ts';
import { changeOf, type Scores } from '../../../nodes/pipeline/measure-scores.ts';
import type { Sums } from '../../../nodes/pipeline/measure-tile.ts';
import type { SideModel } from '../side-task.ts';
import type { StepScores } from '../step-scores.ts';
import { type Measured, type MeasureOptions, measureModels } from './measure-models.ts';

type ValidateStep = Extract<WorkStep, { type: 'validate' }>;

/** The models of a step: as their headers say, and as threads read them. */
export type ValidatedModel = { readonly facts: FileFacts; readonly model: SideModel };

/** What one check found. `isPassed` is undefined where it could not be done. */
type Finding = {
  readonly isPassed: boolean | undefined;
  readonly scores: Scores;
  readonly notes: readonly string[];
};

/**
 * Checks a model. Scores, each where its check is asked for:
 * - `outcome`: `passed`, `failed`, or `incomplete` where nothing failed and a check could not be done; `passed`: whether
 *   it is the first. What speaks against it is in the notes.
 * - structure: `structure` (whether it passed), `architecture`, `missing`, `unexpected` and `misshapen` (counts)
 * - finite: `finite` (whether it passed), `nan`, `infinite`, `not_finite` (counts)
 * - drift: `drift` (‖model - against‖ / ‖against‖), `largest_change` (of an element), `unmatched` (tensors that only one
 *   has in that shape). A drift of any size passes; one that is no number does not.
 * - inference: `inference`, always `not done`: it takes a host that runs models.
 *
 * @param against what drift is measured from.
 * @throws LineageError `file/unreadable`; the reason of the signal
 */
export async function validateModel(
  { checks }: Pick<ValidateStep, 'checks'>,
  { facts, model }: ValidatedModel,
  against: SideModel | undefined,
  options: MeasureOptions,
): Promise<StepScores> {
  const findings: Finding[] = [];
  if (checks.includes('structure')) findings.push(findStructure(facts));
  if (checks.includes('finite') || checks.includes('drift')) {
    const base = checks.includes('drift') ? against : undefined;
    const measured = await measureModels([model], base, options);
    if (checks.includes('drift')) findings.push(findDrift(measured, base));
    // What has no counterpart was not measured.
    const alone = measured.unmatched.length > 0 ? await measureModels([model], undefined, options) : measured;
    if (checks.includes('finite')) findings.push(findFinite(alone));
  }
  if (checks.includes('inference')) {
    const note = 'inference: not done here, it takes a host that runs models';
    findings.push({ isPassed: undefined, scores: { inference: 'not done' }, notes: [note] });
  }
  const isFailed = findings.some(({ isPassed }) => isPassed === false);
  const isIncomplete = findings.some(({ isPassed }) => isPassed === undefined);
  const outcome = isFailed ? 'failed' : isIncomplete ? 'incomplete' : 'passed';
  const { size } = facts.tensors;
  return {
    scores: Object.assign(
      { outcome, passed: outcome === 'passed', tensors: size, bytes: facts.bytes },
      ...findings.map(({ scores }) => scores),
    ),
    notes: findings.flatMap(({ notes }) => notes),
  };
}

function findStructure({ tensors, detection }: FileFacts): Finding {
  const found = detection?.found;
  if (!found) {
    const scores = { structure: false, architecture: 'unknown' };
    return { isPassed: false, scores, notes: ['structure: no architecture recognised'] };
  }
  const { missing, unexpected, misshapen, isListed } = checkStructure(tensors, found);
  const isPassed = missing.length === 0 && misshapen.length === 0;
  const about = (what: string, names: readonly string[]): readonly string[] =>
    names.length === 0 ? [] : [`structure: ${names.length} ${what}: ${listNames(names)}`];
  return {
    isPassed,
    scores: {
      structure: isPassed,
      architecture: found.architecture.title,
      missing: missing.length,
      unexpected: unexpected.length,
      misshapen: misshapen.length,
    },
    notes: [
      ...about('missing', missing),
      ...about('of an unexpected shape', misshapen),
      ...about('that the architecture does not have', unexpected),
      ...(isListed ? [] : ['structure: only gaps between blocks can be found in this architecture']),
    ],
  };
}

function findFinite({ tensors, whole }: Measured): Finding {
  const count = ({ models }: Sums): number => (models[0]?.nan ?? 0) + (models[0]?.infinite ?? 0);
  const bad = tensors.filter(({ sums }) => count(sums) > 0);
  const [nan, infinite] = [whole.models[0]?.nan ?? 0, whole.models[0]?.infinite ?? 0];
  const named = bad.map(({ name, sums }) => `${name} (${count(sums)} of ${sums.elements})`);
  return {
    isPassed: bad.length === 0,
    scores: { finite: bad.length === 0, nan, infinite, not_finite: nan + infinite },
    notes: bad.length === 0 ? [] : [`finite: NaN or infinite numbers in ${listNames(named)}`],
  };
}

function findDrift({ whole, unmatched }: Measured, against: SideModel | undefined): Finding {
  const drift = changeOf(whole, 0);
  const isMeasured = against !== undefined && whole.compared > 0 && Number.isFinite(drift);
  return {
    isPassed: isMeasured,
    scores: {
      drift: isMeasured ? drift : 'none',
      largest_change: whole.models[0]?.largest ?? 0,
      unmatched: unmatched.length,
    },
    notes: [
      ...(isMeasured ? [] : [`drift: nothing to measure it from in ${against?.label ?? 'no other model'}`]),
      ...(unmatched.length > 0 ? [`drift: left out, not alike in both: ${listNames(unmatched)}`] : []),
    ],
  };
}
