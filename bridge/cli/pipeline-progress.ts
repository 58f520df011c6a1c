import { basename } from 'node:path';
import { describeFinding } from '../../nodes/pipeline/finding.ts';
import type { PipelineEvent, StepReport } from '../pipeline/pipeline-report.ts';
import { createBar } from './progress-bar.ts';
import { formatBytes, formatSeconds } from './sizes.ts';
import type { Terminal } from './terminal.ts';

/** Shows the events of a run. */
export type ShownProgress = {
  show(event: PipelineEvent): void;
  /** Takes the bar away; needed however the run ends. */
  stop(): void;
};

const FORMAT = '[{step}] {id} {bar} {percentage} %  {size}  {rate}/s  {left} left  {tensor}';
/** Of the end of a tensor's name, where lines are short. */
const TENSOR = 32;

/**
 * Shows a run on a terminal: a line that moves, and one that stays for each step that is over. Elsewhere (a pipe, a log)
 * only findings are told.
 */
export function showProgress({ note }: Terminal, isTerminal = process.stderr.isTTY === true): ShownProgress {
  const bar = createBar(FORMAT);
  let step = '';
  let refused = 0;
  let described = '';
  let moving: string | undefined;

  function halt(): void {
    if (moving !== undefined) bar.stop();
    moving = undefined;
  }

  function move(id: string, done: number, total: number, words: Readonly<Record<string, string>>): void {
    const payload = { step, id, size: `${formatBytes(done)} of ${formatBytes(total)}`, ...words };
    if (moving === id) bar.update(done, payload);
    else {
      halt();
      bar.start(Math.max(1, total), done, payload);
      moving = id;
    }
  }

  return {
    show(event) {
      if (event.kind === 'finding') {
        halt();
        // The first error is thrown, and told by whoever catches it.
        if (event.finding.level === 'error' && refused++ === 0) return;
        note(
          `${event.finding.level === 'error' ? '' : `[${event.finding.code}] `}${describeFinding(event.finding)}`,
        );
      }
      if (!isTerminal) return;
      switch (event.kind) {
        case 'finding':
          return;
        case 'hashing':
          step = 'hashing';
          return move(basename(event.file), event.doneBytes, event.totalBytes, NOTHING);
        case 'step-start':
          step = `${event.done + 1}/${event.of}`;
          described = event.description === undefined ? '' : ` ${event.description}`;
          return halt();
        case 'step-progress':
          return move(`${event.id}${described}`, event.doneBytes, event.totalBytes, {
            rate: formatBytes(event.bytesPerSecond),
            left: formatSeconds(event.secondsLeft),
            tensor: event.tensor === undefined ? '' : event.tensor.slice(-TENSOR),
          });
        case 'step-end':
          halt();
          note(`[${event.done}/${event.of}] ${describeStep(event.report)}`);
      }
    },
    stop: halt,
  };
}

const NOTHING = { rate: '?', left: '?', tensor: '' };

/** What became of a step, in one line. */
export function describeStep({ id, outcome, path, bytes, milliseconds }: StepReport): string {
  const size = bytes === undefined ? '' : ` (${formatBytes(bytes)})`;
  const time = milliseconds === undefined ? '' : ` in ${formatSeconds(milliseconds / 1000)}`;
  return `${id}: ${WORDS[outcome]}${path === undefined ? '' : ` ${path}`}${size}${time}`;
}

const WORDS: Readonly<Record<StepReport['outcome'], string>> = {
  made: 'made',
  cached: 'already there',
  relabelled: 'already there, its header written anew',
  reported: 'measured',
  fused: 'part of the steps that use it',
  'not-needed': 'not needed: all that uses it is there',
  'passed-over': 'passed over: another branch was taken',
};
