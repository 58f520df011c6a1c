import type { LineageError } from '../../nodes/kit/errors.ts';
import { visibleText } from '../../nodes/kit/visible-text.ts';
import type { Warning } from '../../nodes/kit/warnings.ts';

/** Where a command writes: results to stdout, everything else to stderr. */
export type Terminal = {
  print(text: string): void;
  note(text: string): void;
  /** Shown with LINEAGE_DEBUG set: how the samplers were found and chosen. */
  debug(text: string): void;
};

export const terminal: Terminal = {
  print: (text) => void process.stdout.write(`${text}\n`),
  note: (text) => void process.stderr.write(`${text}\n`),
  debug: (text) => void (process.env['LINEAGE_DEBUG'] && process.stderr.write(`${text}\n`)),
};

/** One line a warning: code, place, message. */
export function noteWarnings(warnings: readonly Warning[], { note }: Terminal): void {
  for (const { code, message, where } of warnings) {
    note(visibleText(`warning [${code}] ${where === '' ? '' : `${where}: `}${message}`));
  }
}

/** What went wrong, where, and what to do: three short lines at most. */
export function describeError({ code, message, hint, where }: LineageError): string {
  const spot = Object.entries(where).map(([what, value]) => `${what} ${value}`);
  // Names that a file brings along may hold anything; a message may have several lines of its own.
  return [
    ...`error [${code}] ${message}`.split('\n'),
    ...(spot.length > 0 ? [`  at ${spot.join(', ')}`] : []),
    `  ${hint}`,
  ]
    .map(visibleText)
    .join('\n');
}
