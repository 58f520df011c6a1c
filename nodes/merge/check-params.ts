import { MismatchError } from '../kit/errors.ts';
import { isRecord } from '../kit/is-record.ts';
import type { AnyMethod, Param, Params, ParamValue, ParamValues } from './method.ts';

/**
 * The parameters of a method, complete: what is not given has its default.
 *
 * @param given names to values, from a recipe that is not trusted; undefined stands for none.
 * @throws LineageError `merge/parameter` for a name that the method does not have, a value of another type, a number
 *   out of its range or not finite, a word that is not among the choices
 */
export function checkParams(method: Pick<AnyMethod, 'id' | 'params'>, given: unknown): ParamValues<Params> {
  if (given !== undefined && !isRecord(given)) {
    throw wrong(method.id, 'parameters as names and values', given);
  }
  const values = new Map(Object.entries(given ?? {}));
  const names = Object.keys(method.params);
  for (const [name, value] of values) {
    if (names.includes(name)) continue;
    throw wrong(method.id, names.length > 0 ? `a parameter named ${names.join(', ')}` : 'no parameters', {
      [name]: value,
    });
  }
  return Object.fromEntries(
    Object.entries(method.params).map(([name, param]) => {
      const value = values.get(name);
      return [name, value === undefined ? param.default : checkValue(`${method.id}.${name}`, param, value)];
    }),
  );
}

function checkValue(place: string, param: Param, value: unknown): ParamValue<Param> {
  if ('choices' in param) {
    if (typeof value === 'string' && param.choices.includes(value)) return value;
    throw wrong(place, `one of ${param.choices.join(', ')}`, value);
  }
  if (!('min' in param)) {
    if (typeof value === 'boolean') return value;
    throw wrong(place, 'true or false', value);
  }
  const isNumber = typeof value === 'number' && value >= param.min && value <= param.max;
  if (isNumber && (!param.integer || Number.isInteger(value))) return value;
  throw wrong(
    place,
    `${param.integer ? 'a whole number' : 'a number'} from ${param.min} to ${param.max}`,
    value,
  );
}

function wrong(place: string, expected: string, got: unknown): MismatchError {
  const text = typeof got === 'number' ? String(got) : (JSON.stringify(got) ?? typeof got);
  return new MismatchError('merge/parameter', { place, expected, got: text.slice(0, 200) });
}
