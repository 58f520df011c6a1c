import { isLineageError } from '../../../nodes/kit/errors.ts';
import { ExactNumber } from '../../../nodes/kit/exact-json.ts';

/** How a failure is told to clients, in the fields of ComfyUI's `execution_error`. */
export type DescribedError = {
  /** Ends with a line break, behind which ComfyUI puts tips: clients show it so. */
  readonly exception_message: string;
  readonly exception_type: string;
  readonly traceback: readonly string[];
};

/** Of a text that a node was called with: enough to see what it was. */
const SHOWN_TEXT_MAX = 16_384;
/** Of a list that a node was called with. */
const SHOWN_INPUTS_MAX = 64;
/** Causes of causes that are told. */
const MAX_CAUSES = 4;

/** Describes whatever a node threw; an error of ours with its code and what to do. */
export function describeError(error: unknown): DescribedError {
  if (!(error instanceof Error)) {
    return { exception_message: `${safeString(error)}\n`, exception_type: typeof error, traceback: [] };
  }
  const message = isLineageError(error) ? `${error.code}: ${error.message}\n${error.hint}` : error.message;
  return { exception_message: `${message}\n`, exception_type: typeOf(error), traceback: traceOf(error) };
}

/** Few classes of errors say their name themselves. */
function typeOf(error: Error): string {
  return error.name === 'Error' ? error.constructor.name : error.name;
}

/** The lines of the stack, each ended by a line break, with those of the causes behind. */
function traceOf(error: Error): string[] {
  const lines: string[] = [];
  let current: unknown = error;
  for (let depth = 0; current instanceof Error && depth <= MAX_CAUSES; depth++) {
    if (depth > 0) lines.push(`Caused by ${current.name}: ${current.message}\n`);
    for (const line of (current.stack ?? '').split('\n')) {
      if (line.startsWith('    at ')) lines.push(`${line}\n`);
    }
    current = current.cause;
  }
  return lines;
}

/** The elements of an input as an error shows them; of a long list the first. */
export function describeInputs(list: readonly unknown[]): readonly unknown[] {
  const shown = list.slice(0, SHOWN_INPUTS_MAX).map(describeInput);
  return list.length > shown.length ? [...shown, `… ${list.length} in all`] : shown;
}

/**
 * An input as an error shows it: plain values as they are, of anything else what it is. Always fit for JSON; long texts
 * are cut, for a client gets them over its socket and the history keeps them.
 */
function describeInput(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  switch (typeof value) {
    case 'string':
      return value.length <= SHOWN_TEXT_MAX ? value : `${value.slice(0, SHOWN_TEXT_MAX)}…`;
    case 'boolean':
    case 'number':
      return value;
    case 'bigint':
      return new ExactNumber(String(value));
    default:
      return value instanceof ExactNumber ? value : summarise(value);
  }
}

/** Elements of a list that a summary names. */
const SHOWN = 4;

function summarise(value: unknown, depth = 0): string {
  if (typeof value !== 'object' || value === null) return safeString(value);
  if (ArrayBuffer.isView(value)) return `${value.constructor.name}(${value.byteLength} bytes)`;
  if (Array.isArray(value)) {
    if (depth > 1) return `[${value.length} elements]`;
    const shown = value.slice(0, SHOWN).map((element) => summarise(element, depth + 1));
    return `[${[...shown, ...(value.length > SHOWN ? [`… ${value.length} in all`] : [])].join(', ')}]`;
  }
  const size = ['width', 'height', 'channels'].flatMap((name) => {
    const part: unknown = Reflect.get(value, name);
    return typeof part === 'number' ? [part] : [];
  });
  if (size.length === 3) return `picture ${size.join('x')}`;
  const keys = Object.keys(value);
  return `{${[...keys.slice(0, SHOWN), ...(keys.length > SHOWN ? ['…'] : [])].join(', ')}}`;
}

/** `String` may throw, for an object without prototype. */
function safeString(value: unknown): string {
  return typeof value === 'object' && value !== null ? Object.prototype.toString.call(value) : String(value);
}
