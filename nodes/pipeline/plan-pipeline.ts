import type { MergeJob } from '../merge/job.ts';
import type { AnyMethod } from '../merge/method.ts';
import { type Answers, answer, leavesOf, type Source, settle } from './conditions.ts';
import { type FlatStep, tuneStep } from './expand.ts';
import type { FileFacts, PipelineFacts } from './facts.ts';
import { type Finding, fail } from './finding.ts';
import type { Manifest, WorkStep } from './manifest.ts';
import { planStep, type StepPlan } from './plan-step.ts';
import { type PredictedOutput, predictOutput } from './predict-output.ts';
import { type JobTable, type ModelView, startJob, viewFile } from './view.ts';

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
  /** `fused`: part of the jobs of the steps that use it. `report`: it makes no file. */
  readonly writes: 'file' | 'fused' | 'report';
  readonly output?: {
    readonly path: string;
    /** Deleted when the last step that uses it is done. */
    readonly isTemporary: boolean;
    /** Absent where the tensors are not known before it runs. */
    readonly predicted?: PredictedOutput;
  };
  readonly job?: MergeJob;
  readonly plan: StepPlan;
};

/** The plan of a whole pipeline, its steps in the order they run. */
export type PipelinePlan = { readonly steps: readonly PlannedStep[]; readonly findings: readonly Finding[] };

/** Whose inputs may be results that were never written: all is done tensor by tensor. */
const BY_TENSORS: ReadonlySet<WorkStep['type']> = new Set([
  'merge',
  'block_merge',
  'lora_merge',
  'convert',
  'extract',
]);

/** Plans all steps; results of steps that have not run are predicted from their plans. */
export function planPipeline(
  { cleanup }: Manifest,
  flats: readonly FlatStep[],
  facts: PipelineFacts,
  options: PlanOptions,
): PipelinePlan {
  const users = usersOf(flats);
  const planned = new Map<string, PlannedStep>();
  /** How deep the values of fused steps nest, and how many there are in one, by id. */
  const nested = new Map<string, { readonly depth: number; readonly values: number }>();
  const findings: Finding[] = [];
  const predicted = (id: string): FileFacts | undefined => planned.get(id)?.output?.predicted?.facts;
  const answers: Answers = {
    file: (path) => facts.files.get(path),
    result: (id) => options.result(id) ?? predicted(id),
    score: options.score,
  };

  function choose(source: Source, step: string): Leaf | undefined {
    const settled = settle(source, answers);
    if (!settled && options.mode === 'fused')
      findings.push(
        fail('pipeline/mode', {
          step,
          expected: 'inputs that are known before the run',
          got: 'one that a score decides',
        }),
      );
    return settled ?? leavesOf(source)[0];
  }

  function isTooDeep(id: string): boolean {
    const { depth = 0, values = 0 } = nested.get(id) ?? {};
    return depth > MAX_DEPTH || values > MAX_VALUES;
  }

  /**
   * A model as the steps of one job see it.
   * @param made where results that are fused are planned into the job, those of it; else they pass for files.
   */
  function view(leaf: Leaf, job: JobTable, made: FusedViews | undefined): ModelView | undefined {
    const step = leaf.kind === 'step' ? planned.get(leaf.id) : undefined;
    if (leaf.kind === 'file' || step?.writes !== 'fused' || !made || isTooDeep(leaf.id)) {
      const file = leaf.kind === 'file' ? answers.file(leaf.path) : answers.result(leaf.id);
      const isKnown = file && !file.problem && (file.exists || file.tensors.size > 0);
      return isKnown ? viewFile(file, job) : undefined;
    }
    if (!made.has(leaf.id)) made.set(leaf.id, planOne(step.flat, job, made).view);
    return made.get(leaf.id);
  }

  function planOne(flat: FlatStep, job: JobTable, made: FusedViews | undefined): StepPlan {
    const values = flat.tuned && options.valuesOf(flat.tuned.by, flat.tuned.trial);
    return planStep(values ? tuneStep(flat, values) : flat.step, {
      id: flat.id,
      job,
      findMethod: options.findMethod,
      model(where) {
        const source = flat.inputs.get(where);
        const leaf = source && choose(source, flat.id);
        return leaf && view(leaf, job, made);
      },
    });
  }

  for (const flat of flats) {
    const guards = flat.guards.map(({ when, is }) => {
      const found = answer(when, answers);
      return found === undefined ? undefined : found === is;
    });
    const runs = guards.includes(false) ? 'no' : guards.includes(undefined) ? 'open' : 'yes';
    const using = users.get(flat.id) ?? [];
    const output = outputOf(flat, using.length > 0, options.tempPath);
    const isFused =
      options.mode === 'fused' &&
      output?.isTemporary === true &&
      using.every(({ step }) => BY_TENSORS.has(step.type));
    if (isFused) {
      const below = [...flat.inputs.values()]
        .flatMap(leavesOf)
        .flatMap((leaf) => (leaf.kind === 'step' && !isTooDeep(leaf.id) ? [nested.get(leaf.id)] : []));
      const depth = 1 + below.reduce((most, each) => Math.max(most, each?.depth ?? 0), 0);
      nested.set(flat.id, { depth, values: below.reduce((sum, each) => sum + (each?.values ?? 0), 1) });
    }
    if (isTooDeep(flat.id))
      findings.push(
        fail('pipeline/mode', {
          step: flat.id,
          expected: `at most ${MAX_DEPTH} fused steps one on top of the other, and ${MAX_VALUES} in one result`,
          got: 'more',
        }),
      );
    const writes = output === undefined ? 'report' : isFused ? 'fused' : 'file';
    if (output === undefined && makesFile(flat.step))
      findings.push(
        fail('pipeline/no-output', {
          step: flat.id,
          expected: 'an output, or a step that uses the result',
          got: 'neither',
        }),
      );
    findings.push(...refuseFusing(flat, writes, output, using.length > 0, cleanup, options));
    const job = startJob();
    const plan = runs === 'no' ? NO_PLAN : planOne(flat, job, isFused ? undefined : new Map());
    findings.push(...plan.findings);
    const place = output && placeOf(flat, output.path, facts);
    const text = options.metadataOf(flat.id);
    const result = plan.view && place && predictOutput(plan.view, place, text);
    findings.push(...(result && writes === 'file' ? incompleteSurveys(flat.id, result) : []));
    planned.set(flat.id, {
      flat,
      runs,
      writes,
      plan,
      ...(output && { output: { ...output, ...(result && { predicted: result }) } }),
      ...(result &&
        writes === 'file' && {
          job: {
            files: job.paths,
            tensors: result.tensors,
            metadata: text,
            notFinite: notFiniteOf(flat.step),
          },
        }),
    });
  }
  return { steps: [...planned.values()], findings: unique(findings) };
}

type Leaf = Extract<Source, { readonly kind: 'file' | 'step' }>;
/** A value that nests deeper would take too much of the stacks of those that walk it, and a larger one of their time. */
const MAX_DEPTH = 64;
const MAX_VALUES = 1024;
/** Results of fused steps in one job, by id. */
type FusedViews = Map<string, ModelView | undefined>;
const NO_PLAN: StepPlan = { findings: [], pruned: new Map() };

/** The steps that take the result of each step. */
function usersOf(flats: readonly FlatStep[]): ReadonlyMap<string, readonly FlatStep[]> {
  const users = new Map<string, FlatStep[]>();
  for (const flat of flats) {
    const used = [...flat.inputs.values()].flatMap(leavesOf);
    for (const id of new Set(used.flatMap((leaf) => (leaf.kind === 'step' ? [leaf.id] : [])))) {
      const known = users.get(id);
      if (known) known.push(flat);
      else users.set(id, [flat]);
    }
  }
  return users;
}

function makesFile({ type }: WorkStep): boolean {
  return type !== 'validate' && type !== 'analysis';
}

/** A result is temporary where a later step uses it and it has no path, or one in a folder `temp` or `tmp`. */
function outputOf(
  { id, step }: FlatStep,
  isUsed: boolean,
  tempPath: (id: string) => string,
): { readonly path: string; readonly isTemporary: boolean } | undefined {
  const output = 'output' in step ? step.output : undefined;
  const path = typeof output === 'string' ? output : output?.path;
  if (path !== undefined) return { path, isTemporary: isUsed && /(^|[\\/])te?mp[\\/]/i.test(path) };
  return isUsed && makesFile(step) ? { path: tempPath(id), isTemporary: true } : undefined;
}

function placeOf({ step }: FlatStep, path: string, { files }: PipelineFacts) {
  const known = files.get(path);
  const output = 'output' in step && typeof step.output === 'object' ? step.output : undefined;
  const maxBytes = output?.sharding?.max_bytes;
  const { identity = path, volume = '' } = known ?? {};
  return { path, identity, volume, ...(maxBytes !== undefined && { maxBytes }) };
}

function notFiniteOf(step: WorkStep): MergeJob['notFinite'] {
  return 'not_finite' in step ? step.not_finite : 'keep';
}

/** Fused, results in between are never written: nobody may ask to have them. */
function refuseFusing(
  flat: FlatStep,
  writes: PlannedStep['writes'],
  output: { readonly path: string; readonly isTemporary: boolean } | undefined,
  isUsed: boolean,
  cleanup: Manifest['cleanup'],
  { mode, keepTemps }: PlanOptions,
): readonly Finding[] {
  if (mode === 'staged' || !isUsed || !output) return [];
  const expected = 'results in between that nobody asks for, since fused steps never write them';
  const refuse = (got: string): readonly Finding[] => [
    fail('pipeline/mode', { step: flat.id, expected, got }),
  ];
  if (!output.isTemporary) return refuse(`the output "${output.path}" outside a folder named temp`);
  if (writes !== 'fused') return [];
  if (keepTemps) return refuse('--keep-temps');
  if (cleanup.keep_intermediates) return refuse('"keep_intermediates": true');
  return cleanup.temp_files ? [] : refuse('"temp_files": false');
}

/** A fused survey must see all that its step would have made, though a later step may drop some of it. */
function incompleteSurveys(step: string, { tensors }: PredictedOutput): readonly Finding[] {
  const places = new Map<number, Set<number>>();
  const open = tensors.map(({ value }) => value);
  for (let value = open.pop(); value; value = open.pop()) {
    if (value.kind === 'adapted') open.push(value.base);
    if (value.kind !== 'merged') continue;
    open.push(...value.models, ...(value.base ? [value.base] : []));
    if (!value.survey) continue;
    const { group, index } = value.survey;
    places.set(group, (places.get(group) ?? new Set()).add(index));
  }
  const holes = [...places.values()].some((indices) => Math.max(...indices) + 1 > indices.size);
  const got = 'a method that looks over the whole model, of which a later step drops a part';
  return holes ? [fail('pipeline/mode', { step, expected: 'fused steps that keep every tensor', got })] : [];
}

/** Once each: a fused step is planned for every step that uses it. */
function unique(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}
