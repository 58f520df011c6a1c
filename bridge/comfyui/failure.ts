import { isLineageError } from '../../nodes/kit/errors.ts';
import type { WireFailure } from './messages.ts';

/** What Python shows and logs of something that was thrown. */
export function describeFailure(error: unknown, signal: AbortSignal): WireFailure {
  const stack = stackOf(error);
  if (signal.aborted) return { code: 'interrupted', message: 'interrupted', hint: '', where: {}, stack };
  if (isLineageError(error)) {
    const { code, message, hint, where } = error;
    return { code, message, hint, where, stack };
  }
  return {
    code: 'bug',
    message: error instanceof Error ? error.message : String(error),
    hint: 'Please report it, with the lines of the log that begin with [lineage].',
    where: {},
    stack,
  };
}

/** The stack with those of its causes. */
function stackOf(error: unknown, depth = 0): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined || depth > 4
    ? own
    : `${own}\ncaused by ${stackOf(error.cause, depth + 1)}`;
}
