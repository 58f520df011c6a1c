import { integerOf } from '../../../nodes/builtin/read-inputs.ts';
import { LineageError } from '../../../nodes/kit/errors.ts';
import type { RunInputs } from '../../../nodes/kit/graph-node.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { input, numbered, output, testNode } from './_declare.ts';

/** Lists, as such and as one value (`ACCUMULATION`, `{accum: [...]}`). */

const ANY = input('*');
const ACCUMULATION = input('ACCUMULATION');
const INDEX = input('INT', { default: 0, step: 1 });

function accumulationOf(inputs: RunInputs): readonly unknown[] {
  const value = inputs['accumulation'];
  const list = isRecord(value) ? value['accum'] : undefined;
  if (Array.isArray(list)) return list;
  throw new LineageError('builtin/input', 'expected an accumulation', { input: 'accumulation' });
}

/** Where Python's index points to: from the end where it is negative. */
function positionOf(inputs: RunInputs, list: readonly unknown[]): number {
  const index = integerOf(inputs, 'index');
  const position = index < 0 ? list.length + index : index;
  if (position >= 0 && position < list.length) return position;
  throw new RangeError(`expected an index of ${list.length} elements, got ${index}`);
}

const makeList = testNode({
  id: 'TestMakeListNode',
  required: { value1: ANY },
  optional: numbered('value', 2, 10, ANY),
  outputs: [{ ...output('*'), isList: true }],
  run(inputs) {
    const names = Array.from({ length: 9 }, (_, i) => `value${i + 1}`);
    return { outputs: [names.filter((name) => Object.hasOwn(inputs, name)).map((name) => inputs[name])] };
  },
});

const accumulate = testNode({
  id: 'TestAccumulateNode',
  required: { to_add: ANY },
  optional: { accumulation: ACCUMULATION },
  outputs: [output('ACCUMULATION')],
  run(inputs) {
    const before = inputs['accumulation'] == null ? [] : accumulationOf(inputs);
    return { outputs: [{ accum: [...before, inputs['to_add']] }] };
  },
});

const head = testNode({
  id: 'TestAccumulationHeadNode',
  required: { accumulation: ACCUMULATION },
  outputs: [output('ACCUMULATION'), output('*')],
  run(inputs) {
    const [first = null, ...rest] = accumulationOf(inputs);
    return { outputs: [{ accum: rest }, first] };
  },
});

const tail = testNode({
  id: 'TestAccumulationTailNode',
  required: { accumulation: ACCUMULATION },
  outputs: [output('ACCUMULATION'), output('*')],
  run(inputs) {
    const list = accumulationOf(inputs);
    // Empty, ComfyUI gives the two the other way round.
    if (list.length === 0) return { outputs: [null, inputs['accumulation']] };
    return { outputs: [{ accum: list.slice(0, -1) }, list.at(-1)] };
  },
});

const toList = testNode({
  id: 'TestAccumulationToListNode',
  required: { accumulation: ACCUMULATION },
  outputs: [{ ...output('*'), isList: true }],
  run: (inputs) => ({ outputs: [accumulationOf(inputs)] }),
});

const fromList = testNode({
  id: 'TestListToAccumulationNode',
  inputIsList: true,
  required: { list: ANY },
  outputs: [output('ACCUMULATION')],
  run: (inputs) => ({ outputs: [{ accum: inputs['list'] }] }),
});

const getLength = testNode({
  id: 'TestAccumulationGetLengthNode',
  required: { accumulation: ACCUMULATION },
  outputs: [output('INT')],
  run: (inputs) => ({ outputs: [accumulationOf(inputs).length] }),
});

const getItem = testNode({
  id: 'TestAccumulationGetItemNode',
  required: { accumulation: ACCUMULATION, index: INDEX },
  outputs: [output('*')],
  run(inputs) {
    const list = accumulationOf(inputs);
    return { outputs: [list[positionOf(inputs, list)]] };
  },
});

const setItem = testNode({
  id: 'TestAccumulationSetItemNode',
  required: { accumulation: ACCUMULATION, index: INDEX, value: ANY },
  outputs: [output('ACCUMULATION')],
  run(inputs) {
    const list = accumulationOf(inputs);
    return { outputs: [{ accum: list.with(positionOf(inputs, list), inputs['value']) }] };
  },
});

/** Nodes of this file. */
export default [makeList, accumulate, head, tail, toList, fromList, getLength, getItem, setItem];
