import { isLineageError, LineageError } from './errors.ts';
import { ExactNumber } from './exact-json.ts';
import type { DynamicChoiceField, Field } from './fields.ts';
import { isRecord } from './is-record.ts';
import { isPictures, isPixels } from './pictures.ts';

/**
 * Brings what arrived at a node into the values that its fields promise to `run`. Neither host checks what comes over
 * a link: ComfyUI matches the names of types alone, and an expansion may hold anything. So all of it is checked here,
 * the range of a number too.
 *
 * Nothing (absent, undefined, or null, which is Python's None) leaves an optional field out. Whole numbers may come as
 * bigint or as `ExactNumber`. Pictures are checked, not copied. A dynamic choice comes as ComfyUI hands it to a node
 * (`{method: 'ties', density: 0.2}` for `method`), as a prompt spells it (`method: 'ties'`, `'method.density': 0.2`), or
 * from a host that knows only its words as one of these.
 *
 * @param values by input name; others than the fields' are left out
 * @param node the id that errors name
 * @param describe what stands for a value in a message; undefined for the usual words
 * @returns values by input name, without prototype
 * @throws LineageError `nodes/wrong-input` with node and input, and any that the parser of a custom field throws
 */
export function readFields(
  fields: Readonly<Record<string, Field>>,
  values: Readonly<Record<string, unknown>>,
  node: string,
  describe: (value: unknown) => string | undefined = () => undefined,
): Readonly<Record<string, unknown>> {
  return readGroup(fields, values, { node, describe, prefix: '' });
}

/** Of whom errors tell, and how. */
type Reading = {
  readonly node: string;
  readonly describe: (value: unknown) => string | undefined;
  /** Before the names of the inputs, in errors. */
  readonly prefix: string;
};

function readGroup(
  fields: Readonly<Record<string, Field>>,
  values: Readonly<Record<string, unknown>>,
  reading: Reading,
): Readonly<Record<string, unknown>> {
  const { node, describe, prefix } = reading;
  const read: Record<string, unknown> = Object.create(null);
  for (const [name, field] of Object.entries(fields)) {
    const given = Object.hasOwn(values, name) ? values[name] : undefined;
    const inside = field.kind === 'dynamic-choice' ? insideOf(name, given, values) : undefined;
    const value = inside ? inside[name] : given;
    const isNothing = value === undefined || value === null;
    if (isNothing && field.optional) continue;
    const wrongInput = (cause?: unknown): LineageError => {
      const message = `expected ${describeField(field)}, got ${describe(value) ?? describeValue(value)}`;
      return new LineageError('nodes/wrong-input', message, { node, input: prefix + name }, { cause });
    };
    if (isNothing) throw wrongInput();
    if (field.kind === 'dynamic-choice') {
      const chosen = chosenOf(field, value);
      if (!inside || !chosen) throw wrongInput();
      const deeper = { ...reading, prefix: `${prefix}${name}.` };
      read[name] = { chosen: chosen.word, inputs: readGroup(chosen.fields, inside, deeper) };
      continue;
    }
    if (field.kind === 'custom') {
      try {
        read[name] = field.parse(value);
      } catch (error) {
        throw isLineageError(error) ? error : wrongInput(error);
      }
      continue;
    }
    const fitting = readPlain(field, value);
    if (fitting === undefined) throw wrongInput();
    read[name] = fitting;
  }
  return read;
}

/** The values inside a dynamic choice by their own names, the word itself under the name of the choice. */
function insideOf(
  name: string,
  given: unknown,
  values: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  if (isRecord(given)) return given;
  const dotted = Object.entries(values).filter(([key]) => key.startsWith(`${name}.`));
  const inside = dotted.map(([key, value]): [string, unknown] => [key.slice(name.length + 1), value]);
  return Object.fromEntries([...inside, [name, given]]);
}

function chosenOf(
  { options }: DynamicChoiceField,
  word: unknown,
): { readonly word: string; readonly fields: Readonly<Record<string, Field>> } | undefined {
  const fields = typeof word === 'string' && Object.hasOwn(options, word) ? options[word] : undefined;
  return typeof word === 'string' && fields ? { word, fields } : undefined;
}

/** The value as `run` gets it, or undefined where it does not fit. */
function readPlain(field: Exclude<Field, { kind: 'custom' | 'dynamic-choice' }>, value: unknown): unknown {
  switch (field.kind) {
    case 'images':
      return isPictures(value) ? value : undefined;
    case 'text':
    case 'model':
      return typeof value === 'string' ? value : undefined;
    case 'integer': {
      const number = toNumber(value);
      return Number.isSafeInteger(number) && number >= field.min && number <= field.max ? number : undefined;
    }
    case 'number': {
      const number = toNumber(value);
      return number >= field.min && number <= field.max ? number : undefined;
    }
    case 'toggle':
      return typeof value === 'boolean' ? value : undefined;
    case 'choice':
      return typeof value === 'string' && field.options.includes(value) ? value : undefined;
  }
}

/** NaN for what is no number: a text of digits is a text, and true is no 1. */
function toNumber(value: unknown): number {
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof ExactNumber) return value.value;
  return typeof value === 'number' ? value : Number.NaN;
}

/** What a field takes, for a message. */
function describeField(field: Field): string {
  switch (field.kind) {
    case 'images':
      return 'a batch of pictures of one shape';
    case 'text':
      return 'a text';
    case 'integer':
      return `a whole number from ${field.min} to ${field.max}`;
    case 'number':
      return `a number from ${field.min} to ${field.max}`;
    case 'model':
      return `the name of a file in ${field.folders.join(' or ')}`;
    case 'toggle':
      return 'true or false';
    case 'choice':
      return `one of ${field.options.join(', ')}`;
    case 'dynamic-choice':
      return `one of ${Object.keys(field.options).join(', ')}`;
    case 'custom':
      return `a value of type ${field.type}`;
  }
}

/** What came instead, for a message: long ones are cut. */
function describeValue(value: unknown): string {
  if (value instanceof ExactNumber) return value.text.slice(0, 40);
  if (Array.isArray(value)) return describeList(value);
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value.slice(0, 40));
    case 'object':
      return value === null ? 'nothing' : 'an object';
    case 'undefined':
      return 'nothing';
    case 'bigint':
    case 'number':
    case 'boolean':
      return String(value).slice(0, 40);
    default:
      return `a ${typeof value}`;
  }
}

function describeList(list: readonly unknown[]): string {
  if (list.length === 0 || !list.every(isPixels)) return 'a list';
  return isPictures(list) ? 'pictures' : 'pictures of several shapes';
}
