import { ExactNumber } from '../../../nodes/kit/exact-json.ts';

/** Deeper values are not compared, so that one that contains itself ends. */
const MAX_DEPTH = 64;

/**
 * A text that two values share exactly when Python takes them for equal: `1`, `1.0` and `True` are one, the order of
 * an object's keys does not matter. Undefined where that cannot be said: NaN, which equals nothing, and values that
 * are no data (pictures, handles, functions).
 */
export function canonicalText(value: unknown): string | undefined {
  return write(value, 0);
}

function write(value: unknown, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return undefined;
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'number':
      return writeDouble(value);
    case 'bigint':
      return String(value);
    case 'boolean':
      return value ? '1' : '0';
    case 'undefined':
      return 'null';
    case 'object':
      return value === null ? 'null' : writeObject(value, depth);
    default:
      return undefined;
  }
}

function writeObject(value: object, depth: number): string | undefined {
  if (value instanceof ExactNumber) return writeExact(value);
  if (Array.isArray(value)) {
    const parts = writeAll(value, depth);
    return parts && `[${parts.join()}]`;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) return undefined;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  const values = writeAll(
    entries.map(([, inner]) => inner),
    depth,
  );
  return values && `{${entries.map(([key], i) => `${JSON.stringify(key)}:${values[i]}`).join()}}`;
}

/** Stops at the first that has no text, since a list of pictures is found out by its first. */
function writeAll(values: readonly unknown[], depth: number): string[] | undefined {
  const parts: string[] = [];
  for (const value of values) {
    const part = write(value, depth + 1);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return parts;
}

function writeExact(number: ExactNumber): string | undefined {
  if (!/^-?\d+$/.test(number.text)) return writeDouble(number.value);
  return number.text === '-0' ? '0' : number.text;
}

/** A double without fraction is written as the integer it equals, as Python compares them: exactly. */
function writeDouble(value: number): string | undefined {
  if (Number.isNaN(value)) return undefined;
  return Number.isInteger(value) ? String(BigInt(value)) : String(value);
}
