import type { Precision } from './facts.ts';
import type { Step } from './manifest.ts';

/** The output of a step, however it is written. */
export type WrittenOutput = {
  /** Absent where the step leaves the file to whoever runs it. */
  readonly path?: string | undefined;
  readonly precision?: Precision | undefined;
  readonly sharding?: { readonly max_bytes: number } | undefined;
};

/** What a manifest says of the file that a step makes; empty where it says nothing. */
export function outputOf(step: Step): WrittenOutput {
  const output = 'output' in step ? step.output : undefined;
  return typeof output === 'string' ? { path: output } : (output ?? {});
}

/** The precision that a step asks its output to have. */
export function precisionOf(step: Step): Precision | undefined {
  return outputOf(step).precision;
}
