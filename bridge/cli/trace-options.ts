import { type Command, InvalidArgumentError, Option } from 'commander';
import { findHints } from '../../nodes/metadata/hints.ts';
import type { LearnOptions } from '../../nodes/metadata/learn.ts';
import { findPin } from '../../nodes/metadata/pin.ts';
import { DEFAULT_MAX_SAMPLERS, SELECT_METHODS, type SelectMethod } from '../../nodes/metadata/samplers.ts';
import type { GraphSource } from './graph-source.ts';

export const RULES_HELP =
  'rules of your own, a file (JSON, YAML) or a folder of them; may be repeated, the first wins';

/** Options of every command that traces. */
export type TraceOptions = {
  readonly node?: string;
  readonly sampler?: string;
  readonly select: SelectMethod;
  readonly maxSamplers: number;
  readonly models: readonly string[];
  readonly objectInfo?: string;
  /** Files and folders of rules, before those in `LINEAGE_HOME`. */
  readonly rules?: readonly string[];
  readonly json?: boolean;
};

export function addTraceOptions(command: Command): Command {
  return command
    .option('--node <id>', 'the saving node to trace from (default: the only one)')
    .option('--sampler <id>', 'the sampler that the main fields describe')
    .addOption(
      new Option('--select <method>', 'how that sampler is chosen').choices(SELECT_METHODS).default('range'),
    )
    .option('--max-samplers <n>', 'how many samplers are listed', integerBetween(1, 64), DEFAULT_MAX_SAMPLERS)
    .option(
      '--models <folder>',
      "a folder with ComfyUI's layout, to find and hash models; may be repeated",
      collect,
      [],
    )
    .option(
      '--object-info <file>',
      'what /object_info of your ComfyUI answers, for a workflow without its prompt graph (default: core nodes)',
    )
    .option('--rules <path>', RULES_HELP, collect)
    .option('--json', 'print one JSON document');
}

/** What the samplers are chosen by, and what the workflow marks: a pin, hints. */
export function toSelection(options: TraceOptions, source: GraphSource): LearnOptions {
  const pinned = findPin(source.workflow, 'sampler');
  return {
    select: options.select,
    maxSamplers: options.maxSamplers,
    hints: findHints(source.workflow),
    ...(options.sampler !== undefined && { sampler: options.sampler }),
    ...(pinned !== undefined && { pinned }),
  };
}

/** For options that may be repeated; without a default, which the help would show as `[]`. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value];
}

/** @throws InvalidArgumentError, which commander turns into a usage error */
export function integerBetween(min: number, max: number): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^-?\d+$/.test(text) && number >= min && number <= max) return number;
    throw new InvalidArgumentError(`expected a whole number from ${min} to ${max}, got ${text}`);
  };
}
