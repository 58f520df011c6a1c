import type { Json } from '../../../nodes/kit/exact-json.ts';
import type { InputSpec } from '../../../nodes/kit/input-spec.ts';
import { type ApiError, toExactJson } from './api-error.ts';
import { PythonError, reprOf, toPythonText } from './python-value.ts';

/**
 * The errors of a node's inputs: types, messages, details and extra_info that clients match on.
 * @see ComfyUI 618b803d execution.py validate_inputs, validate_prompt
 */

/** Longer menus are counted, not quoted. */
const MAX_QUOTED_WORDS = 20;

/** An error of the whole prompt. */
export function promptError(
  type: string,
  message: string,
  details = '',
  extra: Readonly<Record<string, unknown>> = {},
): ApiError {
  return { type, message, details, extra_info: extra };
}

/** An input of a node, as errors name it. */
type Input = { readonly name: string; readonly spec: InputSpec };

/**
 * A required input is absent: hosts never fill in defaults.
 * @param said what the details call it: of one inside a dynamic combo, the last part of its name
 */
export function requiredInputMissing(name: string, said: string = name): ApiError {
  return {
    type: 'required_input_missing',
    message: 'Required input is missing',
    details: said,
    extra_info: { input_name: name },
  };
}

/** A list that is no link. */
export function badLinkedInput({ name, spec }: Input, received: Json): ApiError {
  return {
    type: 'bad_linked_input',
    message: 'Bad linked input, must be a length-2 list of [node_id, slot_index]',
    details: name,
    extra_info: { input_name: name, input_config: configOf(spec), received_value: received },
  };
}

/** A link from an output of another type. */
export function returnTypeMismatch({ name, spec }: Input, link: Json, received: string): ApiError {
  const wanted = typeof spec.type === 'string' ? spec.type : reprOf(spec.type);
  return {
    type: 'return_type_mismatch',
    message: 'Return type mismatch between linked nodes',
    details: `${name}, received_type(${received}) mismatch input_type(${wanted})`,
    extra_info: {
      input_name: name,
      input_config: configOf(spec),
      received_type: received,
      linked_node: link,
    },
  };
}

/** A literal that Python could not convert. */
export function invalidInputType({ name, spec }: Input, value: Json, reason: string): ApiError {
  return {
    type: 'invalid_input_type',
    message: `Failed to convert an input value to a ${spec.type} value`,
    details: `${name}, ${toPythonText(value)}, ${reason}`,
    extra_info: {
      input_name: name,
      input_config: configOf(spec),
      received_value: value,
      exception_message: reason,
    },
  };
}

/** A number below `min` or above `max`. */
export function outOfRange(side: 'min' | 'max', { name, spec }: Input, value: Json, bound: Json): ApiError {
  const [word, type] =
    side === 'min' ? ['smaller', 'value_smaller_than_min'] : ['bigger', 'value_bigger_than_max'];
  return {
    type,
    message: `Value ${toPythonText(value)} ${word} than ${side} of ${toPythonText(bound)}`,
    details: name,
    extra_info: { input_name: name, input_config: configOf(spec), received_value: value },
  };
}

/** A word that the menu lacks. A long menu is neither quoted nor sent along. */
export function valueNotInList({ name, spec }: Input, value: Json, menu: readonly Json[]): ApiError {
  const isLong = menu.length > MAX_QUOTED_WORDS;
  const list = isLong ? `(list of length ${menu.length})` : reprOf(menu);
  return {
    type: 'value_not_in_list',
    message: 'Value not in list',
    details: `${name}: '${toPythonText(value)}' not in ${list}`,
    extra_info: {
      input_name: name,
      input_config: isLong ? null : configOf(spec),
      received_value: value,
    },
  };
}

/** The node's own validator said no; ComfyUI repeats it for each input that the validator was given. */
export function customValidationFailed(name: string, reply: string | false): ApiError {
  return {
    type: 'custom_validation_failed',
    message: 'Custom validation failed for node',
    details: reply === false ? name : `${name} - ${reply}`,
    extra_info: { input_name: name },
  };
}

/** Checking an output node itself raised. */
export function exceptionDuringValidation(error: unknown): ApiError {
  const { message, ...kind } = describeException(error);
  return {
    type: 'exception_during_validation',
    message: 'Exception when validating node',
    details: message,
    extra_info: kind,
  };
}

/** Checking the node behind a link raised. */
export function exceptionDuringInnerValidation({ name, spec }: Input, link: Json, error: unknown): ApiError {
  const { message, ...kind } = describeException(error);
  return {
    type: 'exception_during_inner_validation',
    message: 'Exception when validating inner node',
    details: message,
    extra_info: {
      input_name: name,
      input_config: configOf(spec),
      exception_message: message,
      ...kind,
      linked_node: link,
    },
  };
}

/** `[type, options]`, as `/object_info` has it. */
function configOf({ type, options }: InputSpec): unknown {
  return [type, toExactJson(options)];
}

/** The stack is that of a validator's own fault; what Python would raise has none that says anything. */
function describeException(error: unknown): {
  readonly message: string;
  readonly exception_type: string;
  readonly traceback: readonly string[];
} {
  if (!(error instanceof Error))
    return { message: String(error), exception_type: typeof error, traceback: [] };
  const frames = error instanceof PythonError ? [] : (error.stack ?? '').split('\n').slice(1);
  return { message: error.message, exception_type: error.name, traceback: frames };
}
