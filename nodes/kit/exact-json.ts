import { isLineageError, LineageError } from './errors.ts';
import { NUMBER_MARK, quoteNumbers } from './quote-numbers.ts';
import type { WarningSink } from './warnings.ts';

/**
 * A number whose spelling says more than a double holds: a 64-bit seed, `8.0`, `1e-3`. Written back to JSON as
 * it was read.
 */
export class ExactNumber {
  /** The number as the document spells it. */
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  /** The nearest double. */
  get value(): number {
    return Number(this.text);
  }

  toJSON(): unknown {
    return rawJson(this.text);
  }

  toString(): string {
    return this.text;
  }
}

/** A JSON value with exact numbers. Objects may have a key `__proto__`, as an own property. */
export type Json =
  | string
  | number
  | boolean
  | null
  | ExactNumber
  | readonly Json[]
  | { readonly [key: string]: Json };

/** `JSON.rawJSON` and the reviver's third argument (TC39 proposal-json-parse-with-source) lack library types. */
type JsonWithSource = {
  rawJSON(text: string): unknown;
  parse(
    text: string,
    reviver: (key: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
};
const { rawJSON: rawJson, parse: parseWithSource } = JSON as unknown as JsonWithSource;

/**
 * Parses JSON and keeps the spelling of every number that a double would change. Python's NaN and Infinity,
 * which ComfyUI writes into `is_changed`, are read as null with a warning.
 *
 * @throws LineageError `graph/malformed` with the offset where JSON ends, `graph/too-deep`
 */
export function parseExactJson(text: string, warn: WarningSink, file?: string): Json {
  const where = file === undefined ? {} : { file };
  try {
    return parseKeepingSpelling(text);
  } catch (cause) {
    if (cause instanceof RangeError) {
      throw new LineageError('graph/too-deep', 'expected a document of ordinary depth', where, { cause });
    }
    const cleaned = replaceNonFinite(text);
    if (cleaned === text) throw malformed(cause, where);
    warn('graph/nan', 'NaN or Infinity was read as null', file ?? '');
    try {
      return parseKeepingSpelling(cleaned);
    } catch (second) {
      throw malformed(second, where);
    }
  }
}

function parseKeepingSpelling(text: string): Json {
  const quoted = quoteNumbers(text);
  if (quoted) {
    try {
      const value: Json = JSON.parse(quoted.text);
      return quoted.count === 0 ? value : unquote(value);
    } catch {
      // What is wrong is said of the text itself, below.
    }
  }
  return parseByReviver(text);
}

/** Four times as slow; for documents that the quoting cannot hold, and for those that are no JSON. */
function parseByReviver(text: string): Json {
  const keepSpelling = (_key: string, value: unknown, context: { readonly source?: string }): unknown =>
    typeof value === 'number' && context.source !== undefined && String(value) !== context.source
      ? new ExactNumber(context.source)
      : value;
  return parseWithSource(text, keepSpelling) as Json;
}

/** Makes numbers of quoted ones, in place: the document was made a moment ago and is nobody else's yet. */
function unquote(value: Json): Json {
  if (typeof value === 'string') {
    return value.startsWith(NUMBER_MARK) ? new ExactNumber(value.slice(NUMBER_MARK.length)) : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  for (const [key, before] of Object.entries(value)) {
    if (key.startsWith(NUMBER_MARK)) throw new SyntaxError('a number stands where a key belongs');
    if (typeof before !== 'string' && (typeof before !== 'object' || before === null)) continue;
    const after = unquote(before);
    // Not by assignment: the key may be __proto__.
    if (after !== before) Object.defineProperty(value, key, { value: after });
  }
  return value;
}

function malformed(cause: unknown, where: { readonly file?: string }): LineageError {
  // The engine quotes the document, line breaks and all; a message is one line.
  const detail = (cause instanceof Error ? cause.message : String(cause)).replace(/\s+/g, ' ');
  return new LineageError('graph/malformed', `expected JSON, got: ${detail}`, where, { cause });
}

/**
 * Bare NaN, Infinity and -Infinity outside of strings become null. A string that does not end is taken to the end of
 * the text: without that each of its quotes would be tried as a beginning.
 */
function replaceNonFinite(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*(?:"|$)|-?\bInfinity\b|\bNaN\b/gs, (token) =>
    token.startsWith('"') ? token : 'null',
  );
}

/** JSON in pure ASCII: every reader's decoder agrees on it. Spelling of numbers is kept. */
export function stringifyAscii(value: unknown): string {
  return escapeNonAscii(JSON.stringify(value) ?? 'null');
}

/** Escapes what is not ASCII; in JSON such characters stand only inside strings, so the value is unchanged. */
export function escapeNonAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The same of a text that need not be JSON, since others may use its place too: undefined where it is none. */
export function findExactJson(text: string, warn: WarningSink): Json | undefined {
  try {
    return parseExactJson(text, warn);
  } catch (error) {
    if (isLineageError(error)) return undefined;
    throw error;
  }
}
