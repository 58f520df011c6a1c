import { pythonTypeOf } from '../../../nodes/kit/api-prompt.ts';
import type { Json } from '../../../nodes/kit/exact-json.ts';
import type { InputSpec } from '../../../nodes/kit/input-spec.ts';
import { trimText } from '../../../nodes/metadata/python-text.ts';
import {
  fromPythonNumber,
  isTruthy,
  PythonError,
  reprOf,
  toPythonNumber,
  toPythonText,
} from './python-value.ts';

/** Python refuses to read longer ints from text: their cost grows with the square. */
export const MAX_INT_DIGITS = 4300;
/** `%.200R` of CPython's message. */
const MAX_QUOTED_CHARS = 200;

/**
 * Brings a literal into the type of its input as ComfyUI does: by Python's `int`, `float`, `str` and `bool`. So "5" is
 * 5, 5.7 as INT is 5, "false" as BOOLEAN is true and 8 as FLOAT is written 8.0; inputs of other types take what comes.
 * Digits of other scripts than ASCII are refused, unlike in Python.
 *
 * @throws PythonError with Python's words, where Python would raise
 * @see ComfyUI 618b803d execution.py validate_inputs
 */
export function coerceLiteral(type: InputSpec['type'], value: Json): Json {
  if (type === 'INT') return fromPythonNumber(toInt(value));
  if (type === 'FLOAT') return fromPythonNumber(toFloat(value));
  if (type === 'STRING') return toPythonText(value);
  if (type === 'BOOLEAN') return isTruthy(value);
  return value;
}

function toInt(value: Json): bigint {
  const number = toPythonNumber(value);
  if (typeof number === 'bigint') return number;
  if (number !== undefined) return truncate(number);
  if (typeof value === 'string') return parseInt10(value);
  const what = pythonTypeOf(value);
  throw new PythonError(
    'TypeError',
    `int() argument must be a string, a bytes-like object or a real number, not '${what}'`,
  );
}

function truncate(value: number): bigint {
  if (Number.isNaN(value)) throw new PythonError('ValueError', 'cannot convert float NaN to integer');
  if (!Number.isFinite(value)) {
    throw new PythonError('OverflowError', 'cannot convert float infinity to integer');
  }
  return BigInt(Math.trunc(value));
}

function parseInt10(text: string): bigint {
  const [, sign = '', digits] = /^([+-]?)(\d+(?:_\d+)*)$/.exec(trimText(text, 'both')) ?? [];
  if (digits === undefined) {
    const quoted = reprOf(text).slice(0, MAX_QUOTED_CHARS);
    throw new PythonError('ValueError', `invalid literal for int() with base 10: ${quoted}`);
  }
  const plain = digits.replaceAll('_', '');
  if (plain.length > MAX_INT_DIGITS) {
    const limit = `Exceeds the limit (${MAX_INT_DIGITS} digits) for integer string conversion`;
    const advice = 'use sys.set_int_max_str_digits() to increase the limit';
    throw new PythonError('ValueError', `${limit}: value has ${plain.length} digits; ${advice}`);
  }
  return BigInt(plain) * (sign === '-' ? -1n : 1n);
}

function toFloat(value: Json): number {
  const number = toPythonNumber(value);
  if (typeof number === 'number') return number;
  if (number !== undefined) {
    if (Number.isFinite(Number(number))) return Number(number);
    throw new PythonError('OverflowError', 'int too large to convert to float');
  }
  if (typeof value === 'string') return parseFloat10(value);
  const what = pythonTypeOf(value);
  throw new PythonError('TypeError', `float() argument must be a string or a real number, not '${what}'`);
}

const DIGITS = String.raw`\d+(?:_\d+)*`;
const FLOAT = new RegExp(`^[+-]?(?:${DIGITS}\\.?(?:${DIGITS})?|\\.${DIGITS})(?:[eE][+-]?${DIGITS})?$`);
const SPECIAL_FLOAT = /^([+-]?)(?:(nan)|inf(?:inity)?)$/i;

function parseFloat10(text: string): number {
  const trimmed = trimText(text, 'both');
  if (FLOAT.test(trimmed)) return Number(trimmed.replaceAll('_', ''));
  const special = SPECIAL_FLOAT.exec(trimmed);
  if (!special) throw new PythonError('ValueError', `could not convert string to float: ${reprOf(text)}`);
  if (special[2] !== undefined) return Number.NaN;
  return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
