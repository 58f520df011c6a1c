import type { ErrorCode, Where } from '../../../nodes/kit/errors.ts';
import type { LoraFactors } from '../../../nodes/lora/kinds/lora.ts';
import type { Sums } from '../../../nodes/pipeline/measure-tile.ts';
import type { SideTensor } from '../side-task.ts';

/** What a thread is asked for. */
export type ThreadTask =
  /** Measures one tensor of several models. All are of one shape. */
  | { readonly kind: 'measure'; readonly models: readonly SideTensor[]; readonly base?: SideTensor }
  /** The nearest product of a rank to the difference of two weights. */
  | {
      readonly kind: 'extract';
      readonly tuned: SideTensor;
      readonly base: SideTensor;
      readonly rank: number;
    };

export type ThreadResult =
  | { readonly kind: 'measured'; readonly sums: Sums }
  /** `error`: the Frobenius norm of what the LoRA leaves of the difference. */
  | { readonly kind: 'extracted'; readonly lora: LoraFactors; readonly error: number };

export type FromThread =
  | { readonly kind: 'done'; readonly result: ThreadResult }
  | {
      readonly kind: 'failed';
      /** Of an expected failure. */
      readonly code?: ErrorCode;
      readonly where?: Where;
      readonly message: string;
      readonly stack: string;
    };
