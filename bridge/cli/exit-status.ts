import type { ErrorCode } from '../../nodes/kit/errors.ts';

/** What the process ends with; README lists the same. */
export const EXIT = {
  done: 0,
  input: 1,
  usage: 2,
  environment: 3,
  findings: 4,
  bug: 70,
  interrupted: 130,
  terminated: 143,
  hungUp: 129,
} as const;

export type ExitStatus = (typeof EXIT)[keyof typeof EXIT];

/** Signals that ask for an end, by the convention of shells: 128 and the number of the signal. */
export const STOPPED_BY = {
  SIGINT: EXIT.interrupted,
  SIGTERM: EXIT.terminated,
  SIGHUP: EXIT.hungUp,
} as const;

export type StopSignal = keyof typeof STOPPED_BY;

const ENVIRONMENT: ReadonlySet<ErrorCode> = new Set([
  'file/unreadable',
  'file/unwritable',
  'output/exhausted',
  'ledger/unusable',
  'merge/busy',
  'pipeline/disk-space',
  'serve/port-taken',
  'serve/cannot-listen',
  'serve/data-in-use',
  'serve/store-unusable',
]);

/** Whose fault an expected failure is: how the command was called, this machine, or what was given. */
export function exitStatusOf(code: ErrorCode): ExitStatus {
  if (code.startsWith('option/')) return EXIT.usage;
  return ENVIRONMENT.has(code) ? EXIT.environment : EXIT.input;
}
