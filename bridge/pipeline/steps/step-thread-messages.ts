import type { LoraFactors } from '../../../nodes/lora/kinds/lora.ts';
import type { Sums } from '../../../nodes/pipeline/measure-tile.ts';
import type { ThreadFailure } from '../../local/thread-failure.ts';
import type { SideTensor } from '../side-task.ts';

/** What a thread is asked for. */
export type ThreadTask =
  /** Measures one tensor of several models. All are of one shape. */
  | { readonly kind: 'measure'; readonly models: readonly SideTensor[]; readonly base?: SideTensor }
  /** The nearest product of a rank to the difference of two weights, to be stored in a type. */
  | {
      readonly kind: 'extract';
      readonly tuned: SideTensor;
      readonly base: SideTensor;
      readonly rank: number;
      readonly dtype: 'F32' | 'F16' | 'BF16';
    };

export type ThreadResult =
  | { readonly kind: 'measured'; readonly sums: Sums }
  /** Frobenius norms: `error` of what the LoRA leaves of the difference once it is stored, `norm` of the difference. */
  | {
      readonly kind: 'extracted';
      readonly lora: LoraFactors;
      readonly error: number;
      readonly norm: number;
    };

export type FromThread = { readonly kind: 'done'; readonly result: ThreadResult } | ThreadFailure;
