import { LineageError } from '../../nodes/kit/errors.ts';
import type { FlatStep } from '../../nodes/pipeline/expand.ts';
import type { FileFacts } from '../../nodes/pipeline/facts.ts';
import { caution, type Finding } from '../../nodes/pipeline/finding.ts';
import type { PlannedStep } from '../../nodes/pipeline/plan-pipeline.ts';
import { readFacts } from './collect-facts.ts';
import { guardOutput } from './guard-output.ts';
import type { HashAccess } from './identify-models.ts';
import { openKeptScores } from './kept-scores.ts';
import { copyJob, type MadeOutput, makeOutput } from './make-output.ts';
import { expectOutput, lookAtOutput, type OutputState } from './output-state.ts';
import {
  decisionsOf,
  type PipelineEvent,
  type PipelineReport,
  type StepOutcome,
  type StepReport,
  sumDamage,
} from './pipeline-report.ts';
import { type Known, locateJob, planRun } from './plan-run.ts';
import { type Prepared, type PrepareOptions, preparePipeline } from './prepare-pipeline.ts';
import { refusalOf } from './refuse.ts';
import { findScores, isSideMaker, makeSideFile, type SideInputs } from './run-side-step.ts';
import { scopeOfRun } from './scope-of-run.ts';
import { reportProgress } from './step-progress.ts';
import { followTemporaryFiles } from './temporary-files.ts';

export type RunOptions = Omit<PrepareOptions, 'onFinding'> & {
  /** What tensors that are made as a whole may take at one time. */
  readonly memoryBytes: number;
  /** This step, those that use it and all behind it; what comes before must be there. */
  readonly fromStep?: string;
  /** Ledger and hasher; its signal stops the run within 250 ms, in a state that the next run goes on from. */
  readonly access: HashAccess;
  /** Where findings of steps are kept between runs; absent: they are not. */
  readonly scoresFolder?: string;
  readonly onEvent?: (event: PipelineEvent) => void;
  /** Results with a name of their own may take the place of files that no step made; those in between never do. */
  readonly force?: boolean;
  /** Sees what a step made before it takes the place of what was there, where it is one file. */
  accept?(id: string, dataSha256: string): void;
};

/**
 * Runs a manifest: checks all of it first, then makes what is not there yet. Results in between are made only where
 * something that is missing needs them, and deleted after their last use. Stopped or killed anywhere, the next run gives
 * the same files.
 *
 * @throws the reason of the signal; LineageError of the first finding, `pipeline/from-step`, and as `runJob`
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
  const run = startRun(prepared, options, access, tell);
  await run.refuseMissing();
  await run.guardOutputs();
  await run.all();
  const reports = run.reports();
  return {
    mode: options.mode,
    steps: reports,
    warnings: [...prepared.warnings, ...run.warnings],
    writtenBytes: reports.reduce((sum, { outcome, bytes = 0 }) => sum + (isWritten(outcome) ? bytes : 0), 0),
    milliseconds: performance.now() - startedAt,
  };
}

function isWritten(outcome: StepOutcome): boolean {
  return outcome === 'made' || outcome === 'relabelled';
}

function startRun(
  { inputs, plan: first }: Prepared,
  options: RunOptions,
  access: HashAccess,
  tell: (event: PipelineEvent) => void,
) {
  const { pathOf } = options;
  const flats = inputs.laidOut.steps;
  const known: Known = { scores: new Map(), results: new Map() };
  const kept = openKeptScores(options.scoresFolder);
  const scope = scopeOfRun(flats, options.fromStep);
  const reports = new Map<string, StepReport>();
  const states = new Map<string, OutputState>();
  const warnings: Finding[] = [];
  let plan = first;
  const temporary = followTemporaryFiles(
    flats,
    () => plan.steps,
    (id) => reports.has(id),
    pathOf,
  );

  function planned(id: string): PlannedStep {
    const step = plan.steps.get(id);
    if (!step) throw new Error(`no step ${id}`);
    return step;
  }

  /** What was found may decide what comes next. */
  function learn(): void {
    plan = planRun(inputs, known);
    const refusal = refusalOf(plan.checked.findings.filter(({ code }) => code !== 'pipeline/disk-space'));
    if (refusal) throw refusal;
  }

  function outputOf(id: string) {
    const { output } = planned(id);
    if (!output) throw new Error(`step ${id} makes no file`);
    return { ...output, files: expectOutput(output.path, output.predicted, pathOf) };
  }

  async function look(id: string): Promise<OutputState> {
    const before = states.get(id);
    if (before !== undefined) return before;
    const state = await lookAtOutput(outputOf(id).files, plan.texts(id), access);
    states.set(id, state);
    return state;
  }

  /** The steps whose files a step reads, through those that are fused into it. */
  function readsOf(id: string): readonly string[] {
    return [...plan.descriptions.step(id).inputs.values()].flatMap((leaf) => {
      if (leaf.kind === 'file') return [];
      return planned(leaf.id).writes === 'fused' ? readsOf(leaf.id) : [leaf.id];
    });
  }

  function end(flat: FlatStep, report: Omit<StepReport, 'id' | 'type'>): void {
    const whole: StepReport = { id: flat.id, type: flat.step.type, ...report };
    reports.set(flat.id, whole);
    tell({ kind: 'step-end', report: whole, done: reports.size, of: flats.length });
  }

  function start({ id, step }: FlatStep): void {
    const { description } = step;
    const said = description === undefined ? {} : { description };
    tell({ kind: 'step-start', id, ...said, done: reports.size, of: flats.length });
  }

  function sideInputs(flat: FlatStep, progress: SideInputs['progress']): SideInputs {
    const step = plan.descriptions.step(flat.id);
    return {
      step,
      model(where) {
        const leaf = step.inputs.get(where);
        if (!leaf) return undefined;
        return leaf.kind === 'file' ? inputs.facts.files.get(leaf.path) : factsOf(leaf.id);
      },
      pathOf,
      threads: options.threads,
      signal: access.signal,
      progress,
    };
  }

  function factsOf(id: string): FileFacts | undefined {
    return known.results.get(id) ?? planned(id).output?.predicted?.facts;
  }

  async function guard(id: string): Promise<void> {
    const { files, isTemporary } = outputOf(id);
    await guardOutput(files, options.force === true && !isTemporary);
  }

  /** Sees to it that the file of a step is there. */
  async function ensure(id: string): Promise<void> {
    access.signal.throwIfAborted();
    if (reports.has(id)) return;
    const { flat } = planned(id);
    const state = scope.isForced(id) ? 'changed' : await look(id);
    if (scope.isFrozen(id) && state !== 'whole') throw missingBefore(id, state);
    const { path, files, isTemporary, predicted } = outputOf(id);
    const about = { path: pathOf(path), ...(isTemporary && { isTemporary: true as const }) };
    if (state === 'whole') {
      if (!predicted) await learnResult(id, path);
      end(flat, { outcome: 'cached', ...about, bytes: factsOf(id)?.bytes ?? 0 });
      return;
    }
    const isRelabelled = state === 'relabelled' && files.files.length === 1;
    if (!isRelabelled) for (const each of readsOf(id)) await ensure(each);
    // What is there may have changed since the beginning.
    await guard(id);
    start(flat);
    const startedAt = performance.now();
    const made = await make(flat, isRelabelled);
    if (!predicted) await learnResult(id, path);
    const damage = sumDamage(made.damage);
    end(flat, {
      outcome: isRelabelled ? 'relabelled' : 'made',
      ...about,
      bytes: made.bytes,
      dataSha256: made.dataSha256,
      milliseconds: performance.now() - startedAt,
      ...(made.resumed > 0 && { resumed: made.resumed }),
      ...(damage && { damage }),
      ...(made.left && made.left.length > 0 && { skipped: made.left }),
      ...decisionsOf(planned(id)),
    });
    // Not only at the end: a chain is made from its far end on, within one call.
    if (!inputs.keepTemps) await temporary.sweep();
  }

  async function learnResult(id: string, path: string): Promise<void> {
    known.results.set(id, (await readFacts(path, pathOf(path))).facts);
    learn();
  }

  async function make(flat: FlatStep, isRelabelled: boolean): Promise<MadeOutput> {
    const { files, predicted, path } = outputOf(flat.id);
    const texts = plan.texts(flat.id);
    const progress = reportProgress(flat.id, predicted?.facts, tell);
    if (isSideMaker(flat)) return await makeSideFile(sideInputs(flat, progress), pathOf(path), texts, access);
    const { job } = planned(flat.id);
    if (!job) throw new Error(`step ${flat.id} was not planned`);
    const whole = isRelabelled ? await copyJob(pathOf(path), texts) : locateJob(job, pathOf);
    const { threads, memoryBytes } = options;
    const { signal } = access;
    const accept = (dataSha256: string): void => options.accept?.(flat.id, dataSha256);
    return await makeOutput(whole, files, { access, threads, memoryBytes, signal, progress, accept });
  }

  async function measure(flat: FlatStep): Promise<void> {
    const key = plan.descriptions.key(flat.id);
    const startedAt = performance.now();
    let found = scope.isForced(flat.id) ? undefined : await kept.find(key);
    const isKnown = found !== undefined;
    if (!found) {
      for (const each of readsOf(flat.id)) await ensure(each);
      start(flat);
      found = await findScores(sideInputs(flat, reportProgress(flat.id, undefined, tell)));
      await kept.keep(key, found);
    }
    if (flat.step.type === 'validate' && flat.step.checks.includes('inference')) {
      const expected = 'a host that can run the model';
      const warning = caution('pipeline/inference', {
        step: flat.id,
        where: 'checks',
        expected,
        got: 'none',
      });
      warnings.push(warning);
      tell({ kind: 'finding', finding: warning });
    }
    known.scores.set(flat.id, found.scores);
    learn();
    end(flat, {
      outcome: isKnown ? 'cached' : 'reported',
      found,
      milliseconds: performance.now() - startedAt,
    });
  }

  return {
    warnings,

    /** Before a byte is written: what `fromStep` takes for granted. */
    async refuseMissing(): Promise<void> {
      for (const { id } of flats) {
        const step = planned(id);
        if (scope.isFrozen(id) && step.runs !== 'no' && step.writes === 'file' && !step.output?.isTemporary) {
          const state = await look(id);
          if (state !== 'whole') throw missingBefore(id, state);
        }
        if (!scope.isForced(id) || step.runs === 'no') continue;
        for (const each of readsOf(id).filter((input) => scope.isFrozen(input))) {
          const state = await look(each);
          if (state !== 'whole') throw missingBefore(each, state);
        }
      }
    },

    /** Before anything is made. */
    async guardOutputs(): Promise<void> {
      for (const { id } of flats) {
        const { runs, writes } = planned(id);
        if (runs !== 'no' && writes === 'file') await guard(id);
      }
    },

    async all(): Promise<void> {
      for (const flat of flats) {
        access.signal.throwIfAborted();
        const { runs, writes, output } = planned(flat.id);
        if (runs === 'no') end(flat, { outcome: 'passed-over' });
        else if (writes === 'report') await measure(flat);
        else if (writes === 'file' && !output?.isTemporary) await ensure(flat.id);
        if (!inputs.keepTemps) await temporary.sweep();
        else if (writes === 'file') await ensure(flat.id);
      }
    },

    reports(): readonly StepReport[] {
      return flats.map(({ id, step: { type } }) => {
        const outcome = planned(id).writes === 'fused' ? 'fused' : 'not-needed';
        return reports.get(id) ?? { id, type, outcome };
      });
    },
  };
}

function missingBefore(id: string, state: OutputState): LineageError {
  const got = state === 'missing' ? 'none' : 'one that is not what the step would make';
  return new LineageError(
    'pipeline/from-step',
    `expected the output of the earlier step "${id}", got ${got}`,
  );
}
