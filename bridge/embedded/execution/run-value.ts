import { ExactNumber } from '../../../nodes/kit/exact-json.ts';
import type { InputSpec } from '../../../nodes/kit/input-spec.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';

/**
 * A literal of a prompt as a node gets it. INT: a number, or a bigint where that is no safe integer; FLOAT: a
 * number; STRING: a string; anything else as it was parsed, so that an input that takes several types still tells `5`
 * from `5.0`. `{"__value__": x}` is x. Literals of an expansion, which may be anything, pass unchanged.
 *
 * @param type undefined for an input that the class does not declare.
 */
export function toRunValue(literal: unknown, type: InputSpec['type'] | undefined): unknown {
  const value = isRecord(literal) && Object.hasOwn(literal, '__value__') ? literal['__value__'] : literal;
  if (!(value instanceof ExactNumber)) return value;
  switch (type) {
    case 'INT':
      return toInteger(value);
    case 'FLOAT':
      return value.value;
    case 'STRING':
      return value.text;
    default:
      return value;
  }
}

function toInteger(number: ExactNumber): number | bigint {
  // Python has no negative zero among its integers.
  if (Number.isSafeInteger(number.value) || !/^-?\d+$/.test(number.text)) return Math.trunc(number.value) + 0;
  return BigInt(number.text);
}
