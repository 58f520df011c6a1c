import { caution } from '../../nodes/pipeline/finding.ts';
import { reasonOf } from '../local/system-error.ts';
import type { CurrentOutput } from './current-plan.ts';
import { guardOutput } from './guard-output.ts';
import { copyJob, makeOutput } from './make-output.ts';
import { type MadeOutput, makeSealedFile } from './make-sealed-file.ts';
import type { OpenRun } from './open-run.ts';
import { decisionsOf, type StepReport, sumDamage } from './pipeline-report.ts';
import { locateJob } from './plan-run.ts';
import { needWhole } from './refuse-missing.ts';
import { isSideMaker, makeSideFile, sideInputsOf } from './run-side-step.ts';
import { reportProgress } from './step-progress.ts';

/**
 * Sees to it that the output of a step is there: takes what is whole, and makes anything else, with all that it reads.
 *
 * @throws the reason of the signal; LineageError `pipeline/from-step`, and as `makeOutput`
 */
export async function ensureOutput(run: OpenRun, id: string): Promise<void> {
  run.options.access.signal.throwIfAborted();
  if (run.log.isOver(id)) return;
  if (run.scope.isFrozen(id)) await needWhole(run, id);
  const state = run.scope.isForced(id) ? 'changed' : await run.stateOf(id);
  if (state === 'whole') await takeOutput(run, id);
  else await makeStep(run, id, state === 'relabelled' && run.plan.output(id).files.files.length === 1);
}

async function takeOutput({ plan, log, options }: OpenRun, id: string): Promise<void> {
  const output = plan.output(id);
  if (!output.predicted) await plan.learnOutput(id);
  const bytes = plan.facts(id)?.bytes ?? 0;
  log.end(plan.step(id).flat, { outcome: 'cached', ...placeOf(output, options.pathOf), bytes });
}

/** @param isRelabelled only the texts of the header are to be written anew. */
async function makeStep(run: OpenRun, id: string, isRelabelled: boolean): Promise<void> {
  const { plan, log, options } = run;
  const output = plan.output(id);
  if (!isRelabelled) for (const each of plan.readsOf(id)) await ensureOutput(run, each);
  // What is there may have changed since the beginning.
  await guardOutput(plan.output(id), options);
  log.start(plan.step(id).flat);
  const startedAt = performance.now();
  const made = await (isRelabelled ? relabel(run, id) : make(run, id));
  if (!output.predicted) await plan.learnOutput(id);
  log.end(plan.step(id).flat, {
    outcome: isRelabelled ? 'relabelled' : 'made',
    ...placeOf(output, options.pathOf),
    ...tellOf(made),
    milliseconds: performance.now() - startedAt,
    ...decisionsOf(plan.step(id)),
  });
  // Not only at the end: a chain is made from its far end on, within one call.
  if (!run.keepTemps) await run.temporary.sweep();
}

async function make(run: OpenRun, id: string): Promise<MadeOutput> {
  const { plan, options } = run;
  const { files, path } = plan.output(id);
  const { flat, job } = plan.step(id);
  if (!isSideMaker(flat)) {
    if (!job) throw new Error(`step ${id} was not planned`);
    return await makeOutput(locateJob(job, options.pathOf), files, makingOf(run, id));
  }
  const { access, progress, accept } = makingOf(run, id);
  const inputs = sideInputsOf(run, id, progress);
  const fill = (unsealed: string) => makeSideFile(inputs, { path: unsealed, metadata: plan.texts(id) });
  return await makeSealedFile(options.pathOf(path), access, fill, accept);
}

/** The same tensors again, with other texts in the header. */
async function relabel(run: OpenRun, id: string): Promise<MadeOutput> {
  const { files, path } = run.plan.output(id);
  const job = await copyJob(run.options.pathOf(path), run.plan.texts(id));
  return await makeOutput(job, files, makingOf(run, id));
}

function makingOf({ options, plan, log, tell }: OpenRun, id: string) {
  const { access, threads, memoryBytes } = options;
  const progress = reportProgress(id, plan.output(id).predicted?.facts, tell);
  const accept = (dataSha256: string): void => options.accept?.(id, dataSha256);
  const onJournalLost = (reason: unknown): void => {
    const got = `a journal that cannot be written: ${reasonOf(reason)}`;
    log.warn(caution('pipeline/journal', { step: id, expected: 'to note what was made', got }));
  };
  return { access, threads, memoryBytes, signal: access.signal, progress, accept, onJournalLost };
}

function placeOf({ path, isTemporary }: CurrentOutput, pathOf: (spelled: string) => string) {
  return { path: pathOf(path), ...(isTemporary && { isTemporary: true as const }) };
}

function tellOf({ bytes, dataSha256, resumed, damage, left = [], found }: MadeOutput): Partial<StepReport> {
  const sum = sumDamage(damage);
  return {
    bytes,
    dataSha256,
    ...(resumed > 0 && { resumed }),
    ...(sum && { damage: sum }),
    ...(left.length > 0 && { skipped: left }),
    ...(found && { found }),
  };
}
