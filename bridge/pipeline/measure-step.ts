import type { FlatStep } from '../../nodes/pipeline/expand.ts';
import { caution } from '../../nodes/pipeline/finding.ts';
import { ensureOutput } from './ensure-output.ts';
import type { OpenRun } from './open-run.ts';
import { findScores, sideInputsOf } from './run-side-step.ts';
import { reportProgress } from './step-progress.ts';
import type { StepScores } from './step-scores.ts';

/** Runs a step that makes no file, unless an earlier run has found the same, and plans on with what it found. */
export async function measureStep(run: OpenRun, flat: FlatStep): Promise<void> {
  const { plan, log, scope, scores } = run;
  const startedAt = performance.now();
  const key = plan.key(flat.id);
  const kept = scope.isForced(flat.id) ? undefined : await scores.find(key);
  const found = kept ?? (await measure(run, flat));
  if (!kept) await scores.keep(key, found);
  tellOfInference(run, flat);
  plan.learnScores(flat.id, found.scores);
  const milliseconds = performance.now() - startedAt;
  log.end(flat, { outcome: kept ? 'cached' : 'reported', found, milliseconds });
}

async function measure(run: OpenRun, flat: FlatStep): Promise<StepScores> {
  for (const each of run.plan.readsOf(flat.id)) await ensureOutput(run, each);
  run.log.start(flat);
  return await findScores(sideInputsOf(run, flat.id, reportProgress(flat.id, undefined, run.tell)));
}

function tellOfInference({ log }: OpenRun, { id, step }: FlatStep): void {
  if (step.type !== 'validate' || !step.checks.includes('inference')) return;
  const expected = 'a host that can run the model';
  log.warn(caution('pipeline/inference', { step: id, where: 'checks', expected, got: 'none' }));
}
