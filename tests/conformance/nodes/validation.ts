import { setTimeout as sleep } from 'node:timers/promises';
import { pythonTypeOf } from '../../../nodes/kit/api-prompt.ts';
import { ExactNumber } from '../../../nodes/kit/exact-json.ts';
import type { RunInputs, Validator } from '../../../nodes/kit/graph-node.ts';
import { IMAGE_OR_FLOAT, input, output, testNode } from './_declare.ts';
import { asNumber, constant, multiply } from './_pictures.ts';

/** Nodes whose validators look at values, at types, at both, or at everything. */

const BOTH = ['input1', 'input2'];
const union = { input1: input(IMAGE_OR_FLOAT), input2: input(IMAGE_OR_FLOAT) };
const product = (inputs: RunInputs) => ({ outputs: [multiply(inputs['input1'], inputs['input2'])] });

/** Python's `isinstance(value, float)`, of a literal. */
function isFloat(value: unknown): boolean {
  const isNumber = typeof value === 'number' || value instanceof ExactNumber;
  return isNumber && pythonTypeOf(value) === 'float';
}

/** Links arrive as undefined and are not looked at. */
function complainOfValues(inputs: RunInputs): true | string {
  const wrong = BOTH.find((name) => inputs[name] !== undefined && !isFloat(inputs[name]));
  return wrong === undefined ? true : `Invalid type of ${wrong}: ${typeof inputs[wrong]}`;
}

/** A link must bring nothing but types of the list. */
function complainOfTypes(types: Readonly<Record<string, string>>, allowed: readonly string[]): true | string {
  for (const name of BOTH) {
    const received = Object.hasOwn(types, name) ? types[name] : undefined;
    if (received === undefined || received === '*') continue;
    if (!received.split(',').every((type) => allowed.includes(type))) {
      return `Invalid type of ${name}: ${received} (expected ${allowed.join(',')})`;
    }
  }
  return true;
}

const validation1 = testNode({
  id: 'TestCustomValidation1',
  required: union,
  outputs: [output('IMAGE')],
  validate: { inputs: BOTH, check: complainOfValues },
  run: product,
});

const validation2 = testNode({
  id: 'TestCustomValidation2',
  required: union,
  outputs: [output('IMAGE')],
  validate: {
    inputs: BOTH,
    checksTypes: true,
    check(inputs, types) {
      const values = complainOfValues(inputs);
      return values === true ? complainOfTypes(types, ['IMAGE', 'FLOAT']) : values;
    },
  },
  run: product,
});

const validation3 = testNode({
  id: 'TestCustomValidation3',
  required: union,
  outputs: [output('IMAGE')],
  validate: {
    inputs: [],
    checksTypes: true,
    check: (_inputs, types) => complainOfTypes(types, ['IMAGE', 'FLOAT']),
  },
  run: product,
});

const validation4 = testNode({
  id: 'TestCustomValidation4',
  required: { input1: input('FLOAT'), input2: input('FLOAT') },
  outputs: [output('IMAGE')],
  // The host has made floats of the literals: whatever is a number is one here.
  validate: {
    inputs: BOTH,
    check(inputs) {
      const wrong = BOTH.find((name) => inputs[name] !== undefined && asNumber(inputs[name]) === undefined);
      return wrong === undefined ? true : `Invalid type of ${wrong}`;
    },
  },
  run: product,
});

const zeroToOne = input('FLOAT', { min: 0.0, max: 1.0 });
const validation5 = testNode({
  id: 'TestCustomValidation5',
  required: { input1: zeroToOne, input2: zeroToOne },
  outputs: [output('IMAGE')],
  validate: {
    inputs: 'all',
    check: (inputs) => (asNumber(inputs['input2']) === 7 ? '7 is refused' : true),
  },
  run: product,
});

/** Answers later: whether `value` is above the limit. */
function slowLimit(limit: string): Validator {
  return {
    inputs: ['value', limit],
    async check(inputs) {
      await sleep(50);
      const [value = 0, highest = 0] = [asNumber(inputs['value']), asNumber(inputs[limit])];
      return value > highest ? `${value} exceeds ${limit} ${highest}` : true;
    },
  };
}

const asyncValidation = testNode({
  id: 'TestAsyncValidation',
  required: { value: input('FLOAT', { default: 5.0 }), threshold: input('FLOAT', { default: 10.0 }) },
  outputs: [output('IMAGE')],
  validate: slowLimit('threshold'),
  run: (inputs) => ({ outputs: [constant((asNumber(inputs['value']) ?? 0) / 10, 512, 512)] }),
});

const asyncValidationError = testNode({
  id: 'TestAsyncValidationError',
  required: { value: input('FLOAT', { default: 5.0 }), max_value: input('FLOAT', { default: 10.0 }) },
  outputs: [output('IMAGE')],
  validate: slowLimit('max_value'),
  run(inputs) {
    const share = (asNumber(inputs['value']) ?? 0) / (asNumber(inputs['max_value']) ?? 1);
    return { outputs: [constant(share, 512, 512)] };
  },
});

/** Nodes of this file. */
export default [
  validation1,
  validation2,
  validation3,
  validation4,
  validation5,
  asyncValidation,
  asyncValidationError,
];
