import type { AnyMethod } from '../merge/method.ts';
import { type Answers, leavesOf, type Source, settle } from './conditions.ts';
import { type FlatStep, tuneStep } from './expand.ts';
import type { FileFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { planStep } from './plan-step.ts';
import { refuseOpenInput } from './refuse-fusing.ts';
import type { StepPlan } from './step-plan.ts';
import { type JobTable, type ModelView, viewFile } from './view.ts';

/** What steps are planned with. */
export type PlannerInputs = {
  readonly mode: 'staged' | 'fused';
  /** Steps whose results are planned into the jobs that use them, by id. */
  readonly fused: ReadonlyMap<string, FlatStep>;
  readonly answers: Answers;
  /** @throws LineageError `merge/unknown-method` */
  findMethod(id: string): AnyMethod;
  /** The values of a trial; undefined before: then it is as written. */
  valuesOf(optimize: string, trial: number): readonly number[] | undefined;
};

/** Plans one step with its inputs as they are known now. */
export type StepPlanner = {
  /**
   * @param job is filled with the files that are read.
   * @param inputs `planned`: fused results are planned into the job. `asFiles`: they pass for files, where the step is
   *   part of other jobs itself and this one only tells what can be said of it.
   */
  plan(flat: FlatStep, job: JobTable, inputs: 'planned' | 'asFiles'): PlannedJob;
};

/** A plan, and why the inputs it was made with may not be those of the run. */
export type PlannedJob = { readonly plan: StepPlan; readonly open: readonly Finding[] };

type Leaf = Extract<Source, { readonly kind: 'file' | 'step' }>;
/** Results of fused steps in one job, by id; undefined where one is not known yet. */
type FusedViews = Map<string, ModelView | undefined>;
type Seen = { readonly view: ModelView | undefined; readonly open: readonly Finding[] };

/** A planner of the steps of one pipeline. */
export function createStepPlanner({
  mode,
  fused,
  answers,
  findMethod,
  valuesOf,
}: PlannerInputs): StepPlanner {
  function plan(flat: FlatStep, job: JobTable, made: FusedViews | undefined): PlannedJob {
    const open: Finding[] = [];
    const values = flat.tuned && valuesOf(flat.tuned.by, flat.tuned.trial);
    const planned = planStep(values ? tuneStep(flat, values) : flat.step, {
      id: flat.id,
      job,
      findMethod,
      model(where) {
        const source = flat.inputs.get(where);
        if (!source) return undefined;
        const settled = settle(source, answers);
        if (!settled && mode === 'fused') open.push(refuseOpenInput(flat.id));
        const leaf = settled ?? leavesOf(source)[0];
        const seen = leaf && see(leaf, job, made);
        open.push(...(seen?.open ?? []));
        return seen?.view;
      },
    });
    return { plan: planned, open };
  }

  /** A model as the steps of one job see it. */
  function see(leaf: Leaf, job: JobTable, made: FusedViews | undefined): Seen {
    const inner = leaf.kind === 'step' ? fused.get(leaf.id) : undefined;
    if (!inner || !made) {
      const file = leaf.kind === 'file' ? answers.file(leaf.path) : answers.result(leaf.id);
      return { view: isKnown(file) ? viewFile(file, job) : undefined, open: [] };
    }
    if (made.has(inner.id)) return { view: made.get(inner.id), open: [] };
    const { plan: planned, open } = plan(inner, job, made);
    made.set(inner.id, planned.view);
    return { view: planned.view, open };
  }

  return { plan: (flat, job, inputs) => plan(flat, job, inputs === 'planned' ? new Map() : undefined) };
}

/** Whether a file can be read, or at least its tensors are predicted. */
function isKnown(file: FileFacts | undefined): file is FileFacts {
  return file !== undefined && !file.problem && (file.exists || file.tensors.size > 0);
}
