import type { Pruned } from '../merge/architectures/parts.ts';
import type { AnyMethod } from '../merge/method.ts';
import type { Finding } from './finding.ts';
import type { MergedModel } from './merge-tensors.ts';
import type { JobTable, ModelView } from './view.ts';

/** What a step is planned with. */
export type StepInputs = {
  readonly id: string;
  /** The model at a place of the step (`models[0]`); undefined where it is not known yet. */
  model(where: string): ModelView | undefined;
  readonly job: JobTable;
  /** @throws LineageError `merge/unknown-method` */
  findMethod(id: string): AnyMethod;
};

/** What a step will make, tensor by tensor, and what was decided on the way. */
export type StepPlan = {
  /** Absent where the step is not done tensor by tensor, or an input is not known yet. */
  readonly view?: ModelView;
  readonly findings: readonly Finding[];
  /** By the label of the model that lost them. */
  readonly pruned: ReadonlyMap<string, readonly Pruned[]>;
  readonly merged?: Pick<MergedModel, 'copied' | 'skipped' | 'positionIds' | 'cut'>;
  /** Modules of adapters that found their weight. */
  readonly hits?: readonly { readonly label: string; readonly modules: number; readonly of: number }[];
};

/** The plan of a step of which nothing can be said yet but what is wrong with it. */
export function emptyPlan(findings: readonly Finding[] = []): StepPlan {
  return { findings, pruned: new Map() };
}
