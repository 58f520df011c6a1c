import { ExactNumber, type Json } from '../../../nodes/kit/exact-json.ts';
import type { InputSpec } from '../../../nodes/kit/input-spec.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import type { ApiError } from './api-error.ts';
import { coerceLiteral } from './coerce.ts';
import { invalidInputType, outOfRange, valueNotInList } from './input-errors.ts';
import { areEqual, compare, PythonError } from './python-value.ts';

/**
 * Checks a literal against its input.
 *
 * @param takesOver the node's validator checks range and menu itself
 * @returns the value that the prompt holds afterwards (unwrapped, and coerced where it could be), and what is wrong
 * @throws PythonError where ComfyUI's comparison with `min` or `max` raises
 */
export function checkLiteral(
  name: string,
  spec: InputSpec,
  literal: Json,
  takesOver: boolean,
): { readonly value: Json; readonly error?: ApiError } {
  const unwrapped = unwrap(literal);
  const input = { name, spec };
  let value: Json;
  try {
    value = coerceLiteral(spec.type, unwrapped);
  } catch (error) {
    if (!(error instanceof PythonError)) throw error;
    return { value: unwrapped, error: invalidInputType(input, unwrapped, error.message) };
  }
  const error = takesOver ? undefined : (findOutOfRange(input, value) ?? findNotInMenu(input, value));
  return error ? { value, error } : { value };
}

/** A list would be taken for a link: clients wrap it. */
function unwrap(literal: Json): Json {
  if (!isRecord(literal) || !Object.hasOwn(literal, '__value__')) return literal;
  return literal['__value__'] ?? null;
}

type Input = { readonly name: string; readonly spec: InputSpec };

function findOutOfRange(input: Input, value: Json): ApiError | undefined {
  const { type, options } = input.spec;
  const [min, max] = [toBound(options['min'], type), toBound(options['max'], type)];
  if (min !== undefined && compare(value, '<', min)) return outOfRange('min', input, value, min);
  if (max !== undefined && compare(value, '>', max)) return outOfRange('max', input, value, max);
  return undefined;
}

/** Bounds of a FLOAT are floats in Python, and errors quote them so: `8.0`. */
function toBound(bound: unknown, type: InputSpec['type']): Json | undefined {
  if (typeof bound === 'bigint') return new ExactNumber(String(bound));
  if (type === 'FLOAT' && Number.isSafeInteger(bound)) return new ExactNumber(`${bound}.0`);
  return typeof bound === 'number' || bound instanceof ExactNumber ? bound : undefined;
}

function findNotInMenu(input: Input, value: Json): ApiError | undefined {
  const menu = menuOf(input.spec);
  if (!menu) return undefined;
  const { multiselect } = input.spec.options;
  const chosen = multiselect === true && Array.isArray(value) ? value : [value];
  return chosen.every((each) => isInMenu(menu, each)) ? undefined : valueNotInList(input, value, menu);
}

/** A menu that the client fetches by itself (`remote_combo`), or of files that come and go, is not known here. */
function menuOf({ type, options }: InputSpec): readonly Json[] | undefined {
  if (typeof type !== 'string') return type;
  if (type !== 'COMBO' || options['remote_combo'] || options['model_folders']) return undefined;
  const words: unknown = options['options'];
  return Array.isArray(words) ? words : [];
}

/** Texts are found natively: a menu may list thousands of files. */
function isInMenu(menu: readonly Json[], value: Json): boolean {
  return menu.includes(value) || (typeof value !== 'string' && menu.some((word) => areEqual(word, value)));
}
