import type { FileFacts } from '../../nodes/pipeline/facts.ts';
import type { Scores } from '../../nodes/pipeline/measure-scores.ts';
import type { PlannedStep } from '../../nodes/pipeline/plan-pipeline.ts';
import { readFacts } from './collect-facts.ts';
import { type ExpectedOutput, expectOutput } from './output-state.ts';
import { type Known, planRun, type RunPlan, type RunPlanInputs } from './plan-run.ts';
import { refusalOf } from './refuse.ts';
import type { ResolvedStep } from './step-recipe.ts';

/** The file or files of a step, as they are planned now. */
export type CurrentOutput = NonNullable<PlannedStep['output']> & { readonly files: ExpectedOutput };

/** The plan of a run as it is now: what steps find and write may decide what comes next. */
export type CurrentPlan = {
  steps(): ReadonlyMap<string, PlannedStep>;
  step(id: string): PlannedStep;
  /** The step as it runs, with its inputs. */
  resolved(id: string): ResolvedStep;
  key(id: string): string;
  /** Of the header, the hash still open. */
  texts(id: string): ReadonlyMap<string, string>;
  output(id: string): CurrentOutput;
  /** Of the output: as it was written, or as it is predicted. */
  facts(id: string): FileFacts | undefined;
  /** The steps whose files a step reads, through those that are fused into it. */
  readsOf(id: string): readonly string[];
  /** Plans again with what a step has found. @throws LineageError of the first finding */
  learnScores(id: string, scores: Scores): void;
  /** Plans again with what a step has written. @throws LineageError of the first finding */
  learnOutput(id: string): Promise<void>;
};

/** @param first what was planned before anything ran. */
export function followPlan(
  inputs: RunPlanInputs,
  first: RunPlan,
  pathOf: (spelled: string) => string,
): CurrentPlan {
  const known: Known = { scores: new Map(), results: new Map() };
  let plan = first;

  function replan(): void {
    plan = planRun(inputs, known);
    // Whether the disk has room was asked at the beginning; since then this run has filled some of it.
    const refusal = refusalOf(plan.checked.findings.filter(({ code }) => code !== 'pipeline/disk-space'));
    if (refusal) throw refusal;
  }

  function step(id: string): PlannedStep {
    const planned = plan.steps.get(id);
    if (!planned) throw new Error(`no step ${id}`);
    return planned;
  }

  function output(id: string): CurrentOutput {
    const { output: planned } = step(id);
    if (!planned) throw new Error(`step ${id} makes no file`);
    return { ...planned, files: expectOutput(planned.path, planned.predicted, pathOf) };
  }

  function readsOf(id: string): readonly string[] {
    return [...plan.descriptions.step(id).inputs.values()].flatMap((leaf) => {
      if (leaf.kind === 'file') return [];
      return step(leaf.id).writes === 'fused' ? readsOf(leaf.id) : [leaf.id];
    });
  }

  return {
    steps: () => plan.steps,
    step,
    resolved: (id) => plan.descriptions.step(id),
    key: (id) => plan.descriptions.key(id),
    texts: (id) => plan.texts(id),
    output,
    facts: (id) => known.results.get(id) ?? step(id).output?.predicted?.facts,
    readsOf,
    learnScores(id, scores) {
      known.scores.set(id, scores);
      replan();
    },
    async learnOutput(id) {
      const { path } = output(id);
      known.results.set(id, (await readFacts(path, pathOf(path))).facts);
      replan();
    },
  };
}
