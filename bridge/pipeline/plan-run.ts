import { findMethod } from '../../nodes/merge/find-method.ts';
import type { MergeJob, Operand } from '../../nodes/merge/job.ts';
import { type CheckedPipeline, checkPipeline, type LaidOut } from '../../nodes/pipeline/check.ts';
import type { EngineCosts } from '../../nodes/pipeline/estimate.ts';
import type { FileFacts } from '../../nodes/pipeline/facts.ts';
import { type Finding, fail } from '../../nodes/pipeline/finding.ts';
import type { OptimizeStep, Step } from '../../nodes/pipeline/manifest.ts';
import type { Scores } from '../../nodes/pipeline/measure-scores.ts';
import type { PlannedStep } from '../../nodes/pipeline/plan-pipeline.ts';
import { branchesOf } from '../../nodes/pipeline/references.ts';
import { isReport } from '../../nodes/pipeline/report-step.ts';
import { suggestTrial, type TriedValues } from '../../nodes/pipeline/suggest-trial.ts';
import { memoryNeed } from '../merge/memory-need.ts';
import type { CollectedFacts } from './collect-facts.ts';
import { describeSteps, type StepDescriptions } from './describe-steps.ts';
import type { ModelHashes } from './identify-models.ts';

/** What planning needs that does not change during a run. */
export type RunPlanInputs = {
  readonly laidOut: LaidOut;
  readonly facts: CollectedFacts;
  /** Of every file that is read, by path as the manifest spells it. */
  readonly hashes: ReadonlyMap<string, ModelHashes>;
  readonly mode: 'staged' | 'fused';
  readonly keepTemps: boolean;
  readonly threads: number;
  tempPath(id: string): string;
  /** Texts that a result must have, whatever the description says; the hash is open in them. */
  textsOf?(id: string): ReadonlyMap<string, string> | undefined;
};

/** What steps that ran have found and written. */
export type Known = {
  readonly scores: Map<string, Scores>;
  readonly results: Map<string, FileFacts>;
};

/** A plan that goes with what is known now. */
export type RunPlan = {
  readonly checked: CheckedPipeline;
  readonly steps: ReadonlyMap<string, PlannedStep>;
  readonly descriptions: StepDescriptions;
  texts(id: string): ReadonlyMap<string, string>;
};

/** Texts of headers may depend on predicted files, and these on the texts: settled after two rounds. */
const MAX_ROUNDS = 4;
/** Measured: a process of Node that takes the types out of its sources, with its tables. */
const FIXED_BYTES = 142 << 20;
/** Measured: a thread with its program, its slots and its buffers of 1 MiB each. */
const THREAD_BYTES = 30 << 20;

/** Plans all steps with what is known by now. Deterministic: the same knowledge gives the same plan. */
export function planRun(inputs: RunPlanInputs, known: Known): RunPlan {
  const { laidOut, facts, mode } = inputs;
  const costs: EngineCosts = {
    threads: inputs.threads,
    fixedBytes: FIXED_BYTES,
    bytesPerThread: THREAD_BYTES,
    needOf: memoryNeed,
  };
  const score = (step: string, name: string) => known.scores.get(step)?.[name];
  const valuesOf = createTrials(laidOut, known);
  let before: CheckedPipeline | undefined;
  let texts = new Map<string, ReadonlyMap<string, string>>();
  for (let round = 1; ; round++) {
    const planned = new Map(before?.steps.map((step) => [step.flat.id, step]));
    const descriptions = describeSteps({
      manifest: laidOut.manifest,
      flats: laidOut.steps,
      facts,
      mode,
      hashes: inputs.hashes,
      answers: {
        file: (path) => facts.files.get(path),
        result: (id) => known.results.get(id) ?? planned.get(id)?.output?.predicted?.facts,
        score,
      },
      valuesOf,
      isFused: (id) => planned.get(id)?.writes === 'fused',
      isRounded: (id) =>
        mode === 'fused' &&
        planned.get(id)?.writes === 'file' &&
        planned.get(id)?.output?.isTemporary === true,
    });
    const fresh = new Map(
      laidOut.steps.flatMap(({ id, step }) =>
        'output' in step || !isReport(step)
          ? [[id, inputs.textsOf?.(id) ?? descriptions.texts(id)] as const]
          : [],
      ),
    );
    if (before && (round > MAX_ROUNDS || hasSameTexts(texts, fresh))) {
      return { checked: before, steps: planned, descriptions, texts: (id) => texts.get(id) ?? new Map() };
    }
    texts = fresh;
    const checked = checkPipeline(
      laidOut,
      facts,
      {
        mode,
        keepTemps: inputs.keepTemps,
        tempPath: inputs.tempPath,
        findMethod,
        metadataOf: (id) => fresh.get(id) ?? new Map(),
        score,
        valuesOf,
        result: (id) => known.results.get(id),
      },
      costs,
    );
    before = { ...checked, findings: [...checked.findings, ...refuseShards(checked.steps)] };
  }
}

function hasSameTexts(
  a: ReadonlyMap<string, ReadonlyMap<string, string>>,
  b: ReadonlyMap<string, ReadonlyMap<string, string>>,
): boolean {
  return [...a].every(([id, texts]) => {
    const other = b.get(id);
    return other?.size === texts.size && [...texts].every(([key, text]) => other.get(key) === text);
  });
}

/** A method that looks over the whole model makes one file; a convert step cuts it up. */
function refuseShards(steps: readonly PlannedStep[]): readonly Finding[] {
  return steps.flatMap(({ flat, job, output }) => {
    const isSurveyed = job?.tensors.some(({ value }) => hasSurvey(value)) === true;
    if (!output?.predicted?.shards || !isSurveyed) return [];
    const expected = 'one file from a method that looks over the whole model first';
    const hint = 'Leave "sharding" out here, and add a convert step with it.';
    return [
      fail('pipeline/mode', { step: flat.id, where: 'output.sharding', expected, got: 'several', hint }),
    ];
  });
}

function hasSurvey(value: Operand): boolean {
  if (value.kind === 'adapted') return hasSurvey(value.base);
  if (value.kind !== 'merged') return false;
  return value.survey !== undefined || [...value.models, ...(value.base ? [value.base] : [])].some(hasSurvey);
}

/** The values of trials: each follows from the scores of those before it. */
function createTrials({ manifest, steps }: LaidOut, known: Known) {
  const optimizations = new Map(listOptimizations(manifest.steps).map((step) => [step.id, step]));
  const ids = new Set(steps.map(({ id }) => id));
  const found = new Map<string, readonly number[] | undefined>();

  function valuesOf(by: string, trial: number): readonly number[] | undefined {
    const place = `${by}[${trial}]`;
    if (found.has(place)) return found.get(place);
    const step = optimizations.get(by.slice(by.lastIndexOf('].') + (by.includes('].') ? 2 : 1)));
    const tried = step && listTried(step, by, trial);
    const values = step && tried && suggestTrial(step, tried);
    found.set(place, values);
    return values;
  }

  /** Undefined while one has no score. */
  function listTried(step: OptimizeStep, by: string, trial: number): readonly TriedValues[] | undefined {
    const tried: TriedValues[] = [];
    for (let before = 1; before < trial; before++) {
      const id = `${by}[${before}].${step.score.step}`;
      if (!ids.has(id)) throw new Error(`no step ${id} that finds a score`);
      const scores = known.scores.get(id);
      const values = valuesOf(by, before);
      if (!scores || !values) return undefined;
      const score = scores[step.score.name];
      tried.push({ values, score: typeof score === 'number' ? score : Number(score ?? Number.NaN) });
    }
    return tried;
  }

  return valuesOf;
}

function listOptimizations(steps: readonly Step[]): readonly OptimizeStep[] {
  return steps.flatMap((step) => [
    ...(step.type === 'optimize' ? [step] : []),
    ...branchesOf(step).flatMap(([, inner]) => listOptimizations(inner)),
  ]);
}

/** A planned job with the paths of its files made absolute. */
export function locateJob(job: MergeJob, pathOf: (spelled: string) => string): MergeJob {
  return { ...job, files: job.files.map(pathOf) };
}
