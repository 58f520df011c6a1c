import { claimOutputs } from './claim-outputs.ts';
import { ensureOutput } from './ensure-output.ts';
import { guardOutputs, outputsOf } from './guard-output.ts';
import type { HashAccess } from './identify-models.ts';
import { measureStep } from './measure-step.ts';
import { type OpenRun, openRun, type RunOptions } from './open-run.ts';
import type { PipelineReport, StepOutcome, StepReport } from './pipeline-report.ts';
import { preparePipeline } from './prepare-pipeline.ts';
import { refuseMissing } from './refuse-missing.ts';
import { clearUnfinished } from './unfinished-files.ts';

/**
 * Runs a manifest: checks all of it first, then makes what is not there yet. Results in between are made only where
 * something that is missing needs them, and deleted after their last use. Stopped or killed anywhere, the next run gives
 * the same files.
 *
 * @throws the reason of the signal; LineageError of the first finding, `pipeline/from-step`, `merge/busy` where another
 *   run makes one of the outputs, and as `runJob`
 */
export async function runPipeline(options: RunOptions): Promise<PipelineReport> {
  const startedAt = performance.now();
  const tell = options.onEvent ?? (() => undefined);
  const access: HashAccess = {
    ...options.access,
    onProgress: (file, doneBytes, totalBytes) => tell({ kind: 'hashing', file, doneBytes, totalBytes }),
  };
  const prepared = await preparePipeline(
    { ...options, onFinding: (finding) => tell({ kind: 'finding', finding }) },
    access,
  );
  const run = openRun(prepared, { ...options, access }, tell);
  const outputs = outputsOf(run.plan.steps().values(), options.pathOf);
  await guardOutputs(outputs, options);
  const claims = await claimOutputs(outputs, access.signal);
  try {
    await refuseMissing(run);
    await runSteps(run);
    await clearUnfinished(claims.folders, run.log.warn);
  } finally {
    await claims.release();
  }
  const steps = run.flats.map(({ id }) => reportOf(run, id));
  return {
    mode: options.mode,
    steps,
    warnings: [...prepared.warnings, ...run.log.warnings],
    writtenBytes: steps.reduce((sum, { outcome, bytes = 0 }) => sum + (isWritten(outcome) ? bytes : 0), 0),
    milliseconds: performance.now() - startedAt,
  };
}

/** In their order; a result in between is made when something needs it. */
async function runSteps(run: OpenRun): Promise<void> {
  for (const flat of run.flats) {
    run.options.access.signal.throwIfAborted();
    const { runs, writes, output } = run.plan.step(flat.id);
    if (runs === 'no') run.log.end(flat, { outcome: 'passed-over' });
    else if (writes === 'report') await measureStep(run, flat);
    else if (writes === 'file' && (run.keepTemps || !output?.isTemporary)) await ensureOutput(run, flat.id);
    if (!run.keepTemps) await run.temporary.sweep();
  }
}

function reportOf({ log, plan }: OpenRun, id: string): StepReport {
  const { flat, writes } = plan.step(id);
  const outcome = writes === 'fused' ? 'fused' : 'not-needed';
  return log.report(id) ?? { id, type: flat.step.type, outcome };
}

function isWritten(outcome: StepOutcome): boolean {
  return outcome === 'made' || outcome === 'relabelled';
}
