import type { MergedTensor, MergeJob } from '../../nodes/merge/job.ts';
import type { ThreadFailure } from '../local/thread-failure.ts';
import type { UnitDamage } from './damage.ts';
import type { Plan } from './plan.ts';
import type { InputFile } from './samples.ts';
import type { Share, SharedState } from './shared-state.ts';

/** What a thread is started with. */
export type ThreadStart = {
  readonly thread: number;
  readonly plan: Plan;
  readonly state: SharedState;
  readonly share: Share;
  /** The compiled kernels. */
  readonly module: WebAssembly.Module;
  /** Those for F16, where the processor has what they need. */
  readonly half?: WebAssembly.Module;
  /** Opened once for all threads, so that the system reads ahead in the order of the file. */
  readonly inputs: readonly InputFile[];
  readonly output: InputFile;
  readonly notFinite: MergeJob['notFinite'];
  readonly memoryBytes: number;
  /** Whether to sum units up for a journal. */
  readonly keepsChecksums: boolean;
};

/** A tensor to be surveyed. */
export type SurveyTask = { readonly name: string; readonly value: MergedTensor };

/** What the threads are to do next, sharing it by tickets. */
export type ThreadTask =
  /** Read the units that the journal claims, and call those done whose checksum is right. */
  | { readonly kind: 'verify' }
  /** One round of a survey; `surveys` holds what is known so far. */
  | {
      readonly kind: 'survey';
      readonly tasks: readonly SurveyTask[];
      readonly round: number;
      readonly surveys: ReadonlyMap<number, readonly Float64Array[]>;
    }
  | { readonly kind: 'make'; readonly surveys: ReadonlyMap<number, readonly Float64Array[]> }
  /** There is nothing more to do. */
  | { readonly kind: 'end' };

export type ThreadReport =
  /** No ticket is left. */
  | { readonly kind: 'idle' }
  | { readonly kind: 'surveyed'; readonly task: number; readonly found: Float64Array }
  /** Comes before the unit counts as done. */
  | { readonly kind: 'damaged'; readonly unit: number; readonly rows: readonly UnitDamage[] }
  | ThreadFailure;
