import type { Warning } from '../kit/warnings.ts';
import type { Receipt } from './receipt.ts';
import type { RecordData } from './record.ts';
import type { Dropped, Stage } from './stages.ts';

/** What the commands print about one picture: the record, and how it was written. Shape: `documentSchema`. */
export function toDocument(
  { generator: _generator, ...record }: RecordData,
  written: {
    readonly out?: string;
    readonly stage: Stage;
    readonly parameters: string;
    readonly dropped: readonly Dropped[];
    readonly warnings: readonly Warning[];
    readonly receipt?: Receipt;
    /** How the merged files that the picture names came to be. */
    readonly families?: readonly object[];
  },
): object {
  return { ...written, ...record };
}
