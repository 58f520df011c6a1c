import { choiceOf, integerOf, numberOf } from '../../../nodes/builtin/read-inputs.ts';
import type { RunInputs } from '../../../nodes/kit/graph-node.ts';
import { input, output, testNode } from './_declare.ts';
import { constant } from './_pictures.ts';

/** Nodes that make a value out of nothing. */

const CONTENTS = ['WHITE', 'BLACK', 'NOISE'] as const;
const SIZE = {
  height: input('INT', { default: 512, min: 1, max: 1024 ** 3, step: 1 }),
  width: input('INT', { default: 512, min: 1, max: 4096 ** 3, step: 1 }),
  batch_size: input('INT', { default: 1, min: 1, max: 1024 ** 3, step: 1 }),
};
const SHARE = input('FLOAT', { default: 0.5, min: 0.0, max: 1.0, step: 0.01 });

function sizeOf(inputs: RunInputs): readonly [height: number, width: number, count: number] {
  return [integerOf(inputs, 'height'), integerOf(inputs, 'width'), integerOf(inputs, 'batch_size')];
}

const stubImage = testNode({
  id: 'StubImage',
  required: { content: { type: CONTENTS, options: {} }, ...SIZE },
  outputs: [output('IMAGE')],
  run(inputs) {
    const [height, width, count] = sizeOf(inputs);
    const content = choiceOf(inputs, 'content', CONTENTS);
    if (content !== 'NOISE')
      return { outputs: [constant(content === 'WHITE' ? 1 : 0, height, width, count)] };
    const noise = () => ({
      width,
      height,
      channels: 3 as const,
      data: new Float32Array(width * height * 3).map(() => Math.random()),
    });
    return { outputs: [Array.from({ length: count }, noise)] };
  },
});

const stubConstantImage = testNode({
  id: 'StubConstantImage',
  required: { value: SHARE, ...SIZE },
  outputs: [output('IMAGE')],
  run: (inputs) => ({ outputs: [constant(numberOf(inputs, 'value'), ...sizeOf(inputs))] }),
});

const stubMask = testNode({
  id: 'StubMask',
  required: { value: SHARE, ...SIZE },
  outputs: [output('MASK')],
  run: (inputs) => ({ outputs: [constant(numberOf(inputs, 'value'), ...sizeOf(inputs), 1)] }),
});

const stubInt = testNode({
  id: 'StubInt',
  required: { value: input('INT', { default: 0, min: -0xffffffff, max: 0xffffffff, step: 1 }) },
  outputs: [output('INT')],
  run: (inputs) => ({ outputs: [inputs['value']] }),
});

const stubFloat = testNode({
  id: 'StubFloat',
  required: { value: input('FLOAT', { default: 0.0, min: -1.0e38, max: 1.0e38, step: 0.01 }) },
  outputs: [output('FLOAT')],
  run: (inputs) => ({ outputs: [inputs['value']] }),
});

/** Nodes of this file. */
export default [stubImage, stubConstantImage, stubMask, stubInt, stubFloat];
