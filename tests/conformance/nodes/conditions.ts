import regex from '../../../nodes/builtin/kernels/regex.ts';
import { numberOf, textOf, toggleOf } from '../../../nodes/builtin/read-inputs.ts';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { ExactNumber } from '../../../nodes/kit/exact-json.ts';
import type { RunInputs } from '../../../nodes/kit/graph-node.ts';
import type { InputSpec } from '../../../nodes/kit/input-spec.ts';
import { input, output, testNode } from './_declare.ts';
import { asBatch, rangeOf } from './_pictures.ts';

/** Nodes that compute numbers and decide. */

/** 64-bit integers are compared and reckoned with exactly. */
function integerAt(inputs: RunInputs, name: string): bigint {
  const value = inputs[name];
  return typeof value === 'bigint' ? value : BigInt(numberOf(inputs, name));
}

type Order = (sign: number) => boolean;
const COMPARISONS: ReadonlyMap<unknown, Order> = new Map<unknown, Order>([
  ['==', (sign) => sign === 0],
  ['!=', (sign) => sign !== 0],
  ['<', (sign) => sign < 0],
  ['>', (sign) => sign > 0],
  ['<=', (sign) => sign <= 0],
  ['>=', (sign) => sign >= 0],
]);
const INTEGER_MAX = 2n ** 64n - 1n;
const integer = input('INT', { default: 0, min: -INTEGER_MAX, max: INTEGER_MAX, step: 1 });
const float = input('FLOAT', { default: 0, min: -999999999999, max: 999999999999, step: 1 });
const FLAG = input('BOOLEAN');

function menuOf(words: Iterable<unknown>): InputSpec {
  return { type: [...words].map(String), options: {} };
}

/** The entry of a menu that an input names. */
function chosen<T>(menu: ReadonlyMap<unknown, T>, inputs: RunInputs, name: string): T {
  const entry = menu.get(inputs[name]);
  if (entry !== undefined) return entry;
  throw new LineageError('builtin/input', 'expected a word of the menu', { input: name });
}

const intConditions = testNode({
  id: 'TestIntConditions',
  required: { a: integer, b: integer, operation: menuOf(COMPARISONS.keys()) },
  outputs: [output('BOOLEAN')],
  run(inputs) {
    const [a, b] = [integerAt(inputs, 'a'), integerAt(inputs, 'b')];
    return { outputs: [chosen(COMPARISONS, inputs, 'operation')(a < b ? -1 : Number(a > b))] };
  },
});

const floatConditions = testNode({
  id: 'TestFloatConditions',
  required: { a: float, b: float, operation: menuOf(COMPARISONS.keys()) },
  outputs: [output('BOOLEAN')],
  run(inputs) {
    const [a, b] = [numberOf(inputs, 'a'), numberOf(inputs, 'b')];
    return { outputs: [chosen(COMPARISONS, inputs, 'operation')(a < b ? -1 : Number(a > b))] };
  },
});

type TextTest = (a: string, b: string) => boolean;
const REGEX = 'a MATCH REGEX(b)';
const TEXT_TESTS: ReadonlyMap<unknown, TextTest> = new Map<unknown, TextTest>([
  ['a == b', (a, b) => a === b],
  ['a != b', (a, b) => a !== b],
  ['a IN b', (a, b) => b.includes(a)],
  [REGEX, () => false],
  ['a BEGINSWITH b', (a, b) => a.startsWith(b)],
  ['a ENDSWITH b', (a, b) => a.endsWith(b)],
]);

const stringConditions = testNode({
  id: 'TestStringConditions',
  required: {
    a: input('STRING', { multiline: false }),
    b: input('STRING', { multiline: false }),
    operation: menuOf(TEXT_TESTS.keys()),
    case_sensitive: input('BOOLEAN', { default: true }),
  },
  outputs: [output('BOOLEAN')],
  async run(inputs, { compute }) {
    const fold = (text: string) => (toggleOf(inputs, 'case_sensitive') ? text : text.toLowerCase());
    const [a, b] = [fold(textOf(inputs, 'a')), fold(textOf(inputs, 'b'))];
    const isMet = chosen(TEXT_TESTS, inputs, 'operation')(a, b);
    if (inputs['operation'] !== REGEX) return { outputs: [isMet] };
    const flags = { ignoreCase: false, multiline: false, dotAll: false };
    // Python's `match` starts at the beginning.
    const pattern = `\\A(?:${b})`;
    return { outputs: [await compute(regex, { text: a, pattern, flags, task: { kind: 'match' } })] };
  },
});

const toBool = testNode({
  id: 'TestToBoolNode',
  required: { value: input('*') },
  optional: { invert: input('BOOLEAN', { default: false }) },
  outputs: [output('BOOLEAN')],
  run(inputs) {
    const inverted = inputs['invert'] !== undefined && toggleOf(inputs, 'invert');
    return { outputs: [isTruthy(inputs['value']) !== inverted] };
  },
});

/** Python's truth; a picture is true unless it is all black. */
function isTruthy(value: unknown): boolean {
  const batch = asBatch(value);
  if (batch) return rangeOf(batch).min !== 0 || rangeOf(batch).max !== 0;
  if (value instanceof ExactNumber) return value.value !== 0;
  if (Array.isArray(value)) return value.length > 0;
  return Boolean(value);
}

type FlagTest = (a: boolean, b: boolean) => boolean;
const FLAG_TESTS: ReadonlyMap<unknown, FlagTest> = new Map<unknown, FlagTest>([
  ['a AND b', (a, b) => a && b],
  ['a OR b', (a, b) => a || b],
  ['a XOR b', (a, b) => a !== b],
  ['NOT a', (a) => !a],
]);

const boolOperation = testNode({
  id: 'TestBoolOperationNode',
  required: { a: FLAG, b: FLAG, op: menuOf(FLAG_TESTS.keys()) },
  outputs: [output('BOOLEAN')],
  run: (inputs) => ({
    outputs: [chosen(FLAG_TESTS, inputs, 'op')(toggleOf(inputs, 'a'), toggleOf(inputs, 'b'))],
  }),
});

type Reckoning = (a: bigint, b: bigint) => bigint;
const RECKONINGS: ReadonlyMap<unknown, Reckoning> = new Map<unknown, Reckoning>([
  ['add', (a, b) => a + b],
  ['subtract', (a, b) => a - b],
  ['multiply', (a, b) => a * b],
  // Python rounds down, not towards 0.
  ['divide', (a, b) => (a - (((a % b) + b) % b)) / b],
  ['modulo', (a, b) => ((a % b) + b) % b],
  ['power', (a, b) => a ** b],
]);

const intMath = testNode({
  id: 'TestIntMathOperation',
  required: { a: integer, b: integer, operation: menuOf(RECKONINGS.keys()) },
  outputs: [output('INT')],
  run(inputs) {
    const result = chosen(RECKONINGS, inputs, 'operation')(integerAt(inputs, 'a'), integerAt(inputs, 'b'));
    return { outputs: [Number.isSafeInteger(Number(result)) ? Number(result) : result] };
  },
});

/** Nodes of this file. */
export default [intConditions, floatConditions, stringConditions, toBool, boolOperation, intMath];
