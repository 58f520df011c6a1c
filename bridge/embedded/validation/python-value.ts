import { pythonTypeOf } from '../../../nodes/kit/api-prompt.ts';
import type { Json } from '../../../nodes/kit/exact-json.ts';
import { ExactNumber } from '../../../nodes/kit/exact-json.ts';

/**
 * JSON values as Python holds them. ComfyUI's messages quote values in Python's spelling and clients match on them,
 * and which values pass a check follows Python's rules.
 */

/** A Python number: an int as bigint, a float as number. */
type PythonNumber = bigint | number;

/** What Python would raise. The message is Python's `str(exception)`. */
export class PythonError extends Error {
  override readonly name: 'IndexError' | 'KeyError' | 'OverflowError' | 'TypeError' | 'ValueError';

  constructor(name: PythonError['name'], message: string) {
    super(message);
    this.name = name;
  }
}

/** A number or a boolean as Python's number; undefined for all else. */
export function toPythonNumber(value: Json): PythonNumber | undefined {
  if (typeof value === 'boolean') return value ? 1n : 0n;
  // A double that prints as digits alone was read from them: `5.0` and `1e3` are kept as written.
  if (typeof value === 'number') return pythonTypeOf(value) === 'int' ? BigInt(value) : value;
  if (!(value instanceof ExactNumber)) return undefined;
  return pythonTypeOf(value) === 'int' ? BigInt(value.text) : value.value;
}

/** A Python number as JSON, spelt as Python's `json` spells it, but for NaN and infinities, which stay numbers. */
export function fromPythonNumber(value: PythonNumber): number | ExactNumber {
  const number = Number(value);
  if (!Number.isFinite(number) && typeof value === 'number') return value;
  const text = typeof value === 'bigint' ? String(value) : spellFloat(value);
  return text === String(number) ? number : new ExactNumber(text);
}

/** Python's `repr` of a float: shortest digits, always with a point or an exponent. */
function spellFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const [digits = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${digits}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
  }
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

/** Python's `str(value)`. */
export function toPythonText(value: Json): string {
  return typeof value === 'string' ? value : reprOf(value);
}

/** Python's `repr(value)`. */
export function reprOf(value: Json): string {
  if (value === null) return 'None';
  if (typeof value === 'string') return quote(value);
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number' || value instanceof ExactNumber) {
    const number = toPythonNumber(value) ?? 0;
    return typeof number === 'bigint' ? String(number) : spellFloat(number);
  }
  if (isJsonList(value)) return `[${value.map(reprOf).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, each]) => `${quote(key)}: ${reprOf(each)}`)
    .join(', ')}}`;
}

/** `Array.isArray` does not tell a readonly list from an object. */
function isJsonList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Python's quotes: single, unless only double ones spare an escape; what does not print is escaped. */
function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\n\r\t]|(?! )[\p{C}\p{Z}]/gu, (each) => ESCAPES[each] ?? escapeCode(each));
  return mark + (mark === "'" ? escaped.replaceAll("'", "\\'") : escaped) + mark;
}

function escapeCode(character: string): string {
  const hex = (character.codePointAt(0) ?? 0).toString(16);
  if (hex.length <= 2) return `\\x${hex.padStart(2, '0')}`;
  return hex.length <= 4 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** Python's `bool(value)`: a text is true unless it is empty, so `"false"` is. */
export function isTruthy(value: Json): boolean {
  const number = toPythonNumber(value);
  if (number !== undefined) return Number.isNaN(number) || Number(number) !== 0;
  if (value === null || value === '') return false;
  if (typeof value === 'string') return true;
  return (isJsonList(value) ? value : Object.keys(value)).length > 0;
}

/** Python's `a == b`: numbers by value (`1 == 1.0 == True`), lists and dicts by content. */
export function areEqual(a: Json, b: Json): boolean {
  const [left, right] = [toPythonNumber(a), toPythonNumber(b)];
  if (left !== undefined && right !== undefined) return left <= right && left >= right;
  if (left !== undefined || right !== undefined) return false;
  if (a === null || b === null || typeof a !== 'object' || typeof b !== 'object') return a === b;
  if (isJsonList(a) || isJsonList(b)) {
    if (!isJsonList(a) || !isJsonList(b) || a.length !== b.length) return false;
    return a.every((each, index) => areEqual(each, b[index] ?? null));
  }
  const [one, other] = [new Map(Object.entries(a)), new Map(Object.entries(b))];
  if (one.size !== other.size) return false;
  return [...one].every(([key, each]) => other.has(key) && areEqual(each, other.get(key) ?? null));
}

/**
 * Python's `a < b` or `a > b`.
 * @throws PythonError `TypeError` where it has no order
 */
export function compare(a: Json, sign: '<' | '>', b: Json): boolean {
  const [left, right] = [toPythonNumber(a), toPythonNumber(b)];
  if (left !== undefined && right !== undefined) return sign === '<' ? left < right : left > right;
  throw new PythonError(
    'TypeError',
    `'${sign}' not supported between instances of '${pythonTypeOf(a)}' and '${pythonTypeOf(b)}'`,
  );
}
