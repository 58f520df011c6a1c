import { inspect } from 'node:util';
import type { Kind } from './kinds.ts';
import { tryInput, type Workbench } from './targets.ts';

/** No input may take longer. Of the process, so that a busy machine does not count. */
const MAX_CPU_MS = 1_000;
/** No process that reads one input may grow beyond. */
export const MAX_RSS_BYTES = 256 * 1024 * 1024;

/** What an input did that it must not. */
export type Fault = {
  readonly what: 'error' | 'slow' | 'memory' | 'crash' | 'hang';
  /** Faults of one signature have one cause. */
  readonly signature: string;
  readonly detail: string;
};

/** Tries an input and measures the time it takes: what a process of many inputs can tell of one. */
export async function timeInput(kind: Kind, input: Uint8Array, bench: Workbench): Promise<Fault | undefined> {
  const start = process.cpuUsage();
  try {
    await tryInput(kind, input, bench);
  } catch (error) {
    return { what: 'error', signature: signatureOf(error), detail: inspect(error) };
  }
  const { user, system } = process.cpuUsage(start);
  const ms = (user + system) / 1_000;
  if (ms > MAX_CPU_MS) return { what: 'slow', signature: 'slow', detail: `${Math.round(ms)} ms` };
  return undefined;
}

/** Tries an input and measures its time and the memory. */
export async function measureInput(
  kind: Kind,
  input: Uint8Array,
  bench: Workbench,
): Promise<Fault | undefined> {
  const fault = await timeInput(kind, input, bench);
  if (fault) return fault;
  // The peak of the process, whatever it did before: whoever sees this tries the input in a process of its own.
  const peak = process.resourceUsage().maxRSS * 1024;
  if (peak > MAX_RSS_BYTES)
    return { what: 'memory', signature: 'memory', detail: `${Math.round(peak / 2 ** 20)} MiB` };
  return undefined;
}

/** The error's kind and where in the sources it came up, without line numbers. */
function signatureOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${typeof error}`;
  const frames = (error.stack ?? '').split('\n').filter((line) => /\/(nodes|bridge|rules)\//.test(line));
  const places = frames.slice(0, 2).map((line) => /\/((?:nodes|bridge|rules)\/[^:)]*)/.exec(line)?.[1] ?? '');
  const kind = error.name === 'Broken' ? error.message : `${error.name}: ${error.message.slice(0, 60)}`;
  return `${kind.replace(/\d+/g, 'N')} at ${places.join(' < ')}`;
}
