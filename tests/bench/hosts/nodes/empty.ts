import { defineGraphNode } from '../../../../nodes/kit/graph-node.ts';

const salt = { type: 'STRING', options: {} };
const any = { type: '*', options: {} };
const words = { category: 'bench', description: 'A node that does nothing, for the bench of the hosts.' };

/** The embedded runtime's twins of `bench_pack.py`. */
export default [
  defineGraphNode({
    ...words,
    id: 'BenchStart',
    title: 'Start',
    required: { salt },
    outputs: [{ type: '*', name: 'value' }],
    run: (inputs) => ({ outputs: [inputs['salt']] }),
  }),
  defineGraphNode({
    ...words,
    id: 'BenchEmpty',
    title: 'Empty',
    required: { value: any, salt },
    outputs: [{ type: '*', name: 'value' }],
    run: (inputs) => ({ outputs: [inputs['value']] }),
  }),
  defineGraphNode({
    ...words,
    id: 'BenchEnd',
    title: 'End',
    required: { value: any },
    outputs: [],
    terminal: true,
    run: () => ({ outputs: [], ui: { text: ['done'] } }),
  }),
];
