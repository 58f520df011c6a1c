import { defineNode } from '../../../nodes/kit/define-node.ts';
import { custom, images, text } from '../../../nodes/kit/fields.ts';
import type { Pixels } from '../../../nodes/kit/values.ts';

const salt = text({ default: '', tooltip: 'Keeps results from being cached.' });

/** Nodes of ours that stand beside the Python ones of `bench_pack.py`. */
export const benchNodes = [
  defineNode({
    id: 'LineageBenchEmpty',
    title: 'Empty',
    category: 'lineage/bench',
    description: 'Gives back what it gets.',
    inputs: {
      value: custom('*', { optional: true, tooltip: 'Anything.', parse: (value) => value }),
      salt,
    },
    outputs: { value: { type: '*', tooltip: 'The same.' } },
    run: async ({ value }) => ({ outputs: { value } }),
  }),
  defineNode({
    id: 'LineageBenchCopy',
    title: 'Copy',
    category: 'lineage/bench',
    description: 'A picture in, another one out; what is done to it is the least that can be.',
    inputs: { image: images({ tooltip: 'The pictures.' }), salt },
    outputs: { image: { type: 'IMAGE', tooltip: 'Copies of them.' } },
    run: async ({ image }) => ({ outputs: { image: image.map(copy) } }),
  }),
];

function copy(pixels: Pixels): Pixels {
  return { ...pixels, data: pixels.data.slice() };
}
