import type { MergeJob } from '../merge/job.ts';
import type { AnyMethod } from '../merge/method.ts';
import { type Answers, answer } from './conditions.ts';
import { type Destination, decideDestinations } from './destination.ts';
import type { FlatStep } from './expand.ts';
import type { FileFacts, PipelineFacts } from './facts.ts';
import { type Finding, fail } from './finding.ts';
import { findOversized, refuseOversized } from './fused-size.ts';
import type { Manifest } from './manifest.ts';
import { type OutputPlace, type PredictedOutput, predictOutput } from './predict-output.ts';
import { refuseFusing, refuseIncompleteSurveys } from './refuse-fusing.ts';
import { isReport } from './report-step.ts';
import { outputOf } from './step-output.ts';
import { emptyPlan, type StepPlan } from './step-plan.ts';
import { createStepPlanner, type PlannedJob, type StepPlanner } from './step-planner.ts';
import { startJob } from './view.ts';

/** How a pipeline is to run, and what its plan needs of the outside. */
export type PlanOptions = {
  /** `fused`: temporary results are never written, and not rounded either. */
  readonly mode: 'staged' | 'fused';
  /** Whoever runs it wants the temporary files left. */
  readonly keepTemps: boolean;
  /** Where the result of a step without an output goes. */
  tempPath(id: string): string;
  /** @throws LineageError `merge/unknown-method` */
  findMethod(id: string): AnyMethod;
  /** Texts of the header of a step's output. */
  metadataOf(id: string): ReadonlyMap<string, string>;
  /** What steps that ran have found; undefined before. */
  score(step: string, name: string): number | string | boolean | undefined;
  /** The values of a trial of an optimisation, by the id of that; undefined before: then it is as written. */
  valuesOf(optimize: string, trial: number): readonly number[] | undefined;
  /** What steps that ran have written; undefined before: then it is predicted. */
  result(step: string): FileFacts | undefined;
};

/** A step with everything decided that can be. */
export type PlannedStep = {
  readonly flat: FlatStep;
  /** `open`: a score that decides it is not known yet; it is planned as if it ran. */
  readonly runs: 'yes' | 'no' | 'open';
  readonly writes: Destination['writes'];
  readonly output?: NonNullable<Destination['output']> & {
    /** Absent where the tensors are not known before it runs. */
    readonly predicted?: PredictedOutput;
  };
  readonly job?: MergeJob;
  readonly plan: StepPlan;
};

/** The plan of a whole pipeline, its steps in the order they run. */
export type PipelinePlan = { readonly steps: readonly PlannedStep[]; readonly findings: readonly Finding[] };

/** Plans all steps; results of steps that have not run are predicted from their plans. */
export function planPipeline(
  { cleanup }: Manifest,
  flats: readonly FlatStep[],
  facts: PipelineFacts,
  options: PlanOptions,
): PipelinePlan {
  const { mode, keepTemps, findMethod, valuesOf } = options;
  const destinations = decideDestinations(flats, options);
  const oversized = findOversized(flats, destinations);
  const planned = new Map<string, PlannedStep>();
  const answers: Answers = {
    file: (path) => facts.files.get(path),
    result: (id) => options.result(id) ?? planned.get(id)?.output?.predicted?.facts,
    score: options.score,
  };
  const fused = new Map(
    flats.flatMap((flat) =>
      destinations.get(flat.id)?.writes === 'fused' && !oversized.has(flat.id) ? [[flat.id, flat]] : [],
    ),
  );
  const planner = createStepPlanner({ mode, fused, answers, findMethod, valuesOf });
  const findings: Finding[] = [];
  for (const flat of flats) {
    const destination = destinations.get(flat.id);
    if (!destination) throw new Error(`nowhere to go for ${flat.id}`);
    if (oversized.has(flat.id)) findings.push(refuseOversized(flat.id));
    if (!destination.output && !isReport(flat.step)) findings.push(refuseUseless(flat.id));
    if (mode === 'fused') findings.push(...refuseFusing(flat.id, destination, { cleanup, keepTemps }));
    const step = planFlat(flat, destination, { planner, answers, facts, metadataOf: options.metadataOf });
    findings.push(...step.findings);
    planned.set(flat.id, step.planned);
  }
  return { steps: [...planned.values()], findings: unique(findings) };
}

type FlatInputs = {
  readonly planner: StepPlanner;
  readonly answers: Answers;
  readonly facts: PipelineFacts;
  metadataOf(id: string): ReadonlyMap<string, string>;
};

/** One step: whether it runs, what it makes, and the job that writes it. */
function planFlat(
  flat: FlatStep,
  { writes, output }: Destination,
  { planner, answers, facts, metadataOf }: FlatInputs,
): { readonly planned: PlannedStep; readonly findings: readonly Finding[] } {
  const runs = decideRun(flat, answers);
  const table = startJob();
  const { plan, open } =
    runs === 'no' ? NO_JOB : planner.plan(flat, table, writes === 'fused' ? 'asFiles' : 'planned');
  const metadata = metadataOf(flat.id);
  const predicted =
    plan.view && output && predictOutput(plan.view, placeOf(flat, output.path, facts), metadata);
  const written = writes === 'file' ? predicted : undefined;
  const job = written && {
    files: table.paths,
    tensors: written.tensors,
    metadata,
    notFinite: 'not_finite' in flat.step ? flat.step.not_finite : ('keep' as const),
  };
  return {
    planned: {
      flat,
      runs,
      writes,
      plan,
      ...(output && { output: { ...output, ...(predicted && { predicted }) } }),
      ...(job && { job }),
    },
    findings: [...open, ...plan.findings, ...(written ? refuseIncompleteSurveys(flat.id, written) : [])],
  };
}

const NO_JOB: PlannedJob = { plan: emptyPlan(), open: [] };

function decideRun({ guards }: FlatStep, answers: Answers): PlannedStep['runs'] {
  const met = guards.map(({ when, is }) => {
    const found = answer(when, answers);
    return found === undefined ? undefined : found === is;
  });
  if (met.includes(false)) return 'no';
  return met.includes(undefined) ? 'open' : 'yes';
}

function refuseUseless(step: string): Finding {
  const expected = 'an output, or a step that uses the result';
  return fail('pipeline/no-output', { step, expected, got: 'neither' });
}

function placeOf({ step }: FlatStep, path: string, { files }: PipelineFacts): OutputPlace {
  const maxBytes = outputOf(step).sharding?.max_bytes;
  const { identity = path, volume = '' } = files.get(path) ?? {};
  return { path, identity, volume, ...(maxBytes !== undefined && { maxBytes }) };
}

/** Once each: a fused step is planned for every step that uses it. */
function unique(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}
