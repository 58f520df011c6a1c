import type { FlatStep } from '../../nodes/pipeline/expand.ts';
import type { CollectedFacts } from './collect-facts.ts';
import { type CurrentPlan, followPlan } from './current-plan.ts';
import type { HashAccess } from './identify-models.ts';
import { type KeptScores, openKeptScores } from './kept-scores.ts';
import { lookAtOutput, type OutputState } from './output-state.ts';
import type { PipelineEvent } from './pipeline-report.ts';
import type { Prepared, PrepareOptions } from './prepare-pipeline.ts';
import { type RunScope, scopeOfRun } from './scope-of-run.ts';
import { openStepLog, type StepLog } from './step-log.ts';
import { followTemporaryFiles, type TemporaryFiles } from './temporary-files.ts';

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

/** One run: what its steps work with, and what is known of them. */
export type OpenRun = {
  readonly options: RunOptions;
  /** All steps, in the order they run. */
  readonly flats: readonly FlatStep[];
  readonly facts: CollectedFacts;
  readonly scope: RunScope;
  readonly plan: CurrentPlan;
  readonly log: StepLog;
  readonly scores: KeptScores;
  /** Results in between are wanted too. */
  readonly keepTemps: boolean;
  readonly temporary: TemporaryFiles;
  /** What was there of a step's output when it was first looked at. */
  stateOf(id: string): Promise<OutputState>;
  tell(event: PipelineEvent): void;
};

/** @throws LineageError `pipeline/unknown-step` for a step to begin with that is none */
export function openRun(
  { inputs, plan: first }: Prepared,
  options: RunOptions,
  tell: (event: PipelineEvent) => void,
): OpenRun {
  const { steps: flats } = inputs.laidOut;
  const plan = followPlan(inputs, first, options.pathOf);
  const log = openStepLog(flats.length, tell);
  const states = new Map<string, OutputState>();
  return {
    options,
    flats,
    facts: inputs.facts,
    scope: scopeOfRun(flats, options.fromStep),
    plan,
    log,
    scores: openKeptScores(options.scoresFolder),
    keepTemps: inputs.keepTemps,
    temporary: followTemporaryFiles(flats, plan.steps, log.isOver, options.pathOf),
    async stateOf(id) {
      const state =
        states.get(id) ?? (await lookAtOutput(plan.output(id).files, plan.texts(id), options.access));
      states.set(id, state);
      return state;
    },
    tell,
  };
}
