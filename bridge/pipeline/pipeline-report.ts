import type { Finding } from '../../nodes/pipeline/finding.ts';
import type { CutTable } from '../../nodes/pipeline/merge-tensors.ts';
import type { PlannedStep } from '../../nodes/pipeline/plan-pipeline.ts';
import type { Damage } from '../merge/damage.ts';
import type { StepScores } from './step-scores.ts';

/**
 * What became of a step. `cached`: its result was there, every byte. `relabelled`: only the texts of the header were
 * written anew. `fused`: part of the steps that use it. `not-needed`: all that would use it was there. `passed-over`: its
 * branch was not taken.
 */
export type StepOutcome =
  | 'made'
  | 'cached'
  | 'relabelled'
  | 'reported'
  | 'fused'
  | 'not-needed'
  | 'passed-over';

/** One step of a run. */
export type StepReport = {
  readonly id: string;
  readonly type: string;
  readonly outcome: StepOutcome;
  readonly path?: string;
  readonly isTemporary?: true;
  readonly bytes?: number;
  /** SHA-256 of the data of each file. */
  readonly dataSha256?: readonly string[];
  readonly milliseconds?: number;
  /** Tensors that an interrupted run had made already. */
  readonly resumed?: number;
  /** Numbers that went wrong: elements in all, and in how many tensors. */
  readonly damage?: Damage & { readonly tensors: number };
  /** Names that were left out, by model. */
  readonly pruned?: Readonly<Record<string, readonly string[]>>;
  /** Why tensors were copied and not merged, and how many. */
  readonly copied?: Readonly<Record<string, number>>;
  readonly skipped?: readonly string[];
  /** Buffers of positions that were not merged but set to what they must be. */
  readonly positionIds?: readonly string[];
  /** Tables of tokens of which only the first rows were merged. */
  readonly cut?: readonly CutTable[];
  /** Modules of adapters that found their weight. */
  readonly adapters?: readonly { readonly label: string; readonly modules: number; readonly of: number }[];
  readonly found?: StepScores;
};

/** A whole run. */
export type PipelineReport = {
  readonly mode: 'staged' | 'fused';
  readonly steps: readonly StepReport[];
  readonly warnings: readonly Finding[];
  readonly writtenBytes: number;
  readonly milliseconds: number;
};

/** What happens in a run, for whoever shows it. */
export type PipelineEvent =
  | { readonly kind: 'finding'; readonly finding: Finding }
  | {
      readonly kind: 'hashing';
      readonly file: string;
      readonly doneBytes: number;
      readonly totalBytes: number;
    }
  | {
      readonly kind: 'step-start';
      readonly id: string;
      readonly description?: string;
      /** Steps that are over, of how many. */
      readonly done: number;
      readonly of: number;
    }
  | {
      readonly kind: 'step-progress';
      readonly id: string;
      /** The tensor that was written last. */
      readonly tensor?: string;
      readonly doneBytes: number;
      readonly totalBytes: number;
      readonly bytesPerSecond: number;
      readonly secondsLeft: number;
    }
  | { readonly kind: 'step-end'; readonly report: StepReport; readonly done: number; readonly of: number };

/** What was decided of a step when it was planned. */
export function decisionsOf({ plan }: PlannedStep): Partial<StepReport> {
  const { pruned, merged, hits } = plan;
  const { skipped = [], positionIds = [], cut = [] } = merged ?? {};
  return {
    ...(pruned.size > 0 && {
      pruned: Object.fromEntries([...pruned].map(([label, names]) => [label, names.map(({ name }) => name)])),
    }),
    ...(merged &&
      merged.copied.size > 0 && {
        copied: Object.fromEntries([...merged.copied].map(([why, names]) => [why, names.length])),
      }),
    ...(skipped.length > 0 && { skipped }),
    ...(positionIds.length > 0 && { positionIds }),
    ...(cut.length > 0 && { cut }),
    ...(hits && { adapters: hits }),
  };
}

/** The damage of all tensors together; undefined where there is none. */
export function sumDamage(damage: ReadonlyMap<string, Damage>): StepReport['damage'] {
  if (damage.size === 0) return undefined;
  const sum = { notFinite: 0, overflowed: 0, nan: 0, tensors: damage.size };
  for (const { notFinite, overflowed, nan } of damage.values()) {
    sum.notFinite += notFinite;
    sum.overflowed += overflowed;
    sum.nan += nan;
  }
  return sum;
}
