import { defineGraphNode, type GraphNode } from '../../../../nodes/kit/graph-node.ts';
import type { InputSpec } from '../../../../nodes/kit/input-spec.ts';

/** The classes of peers/validation-nodes/__init__.py, which real ComfyUI loaded when its answers were recorded. */

type Inputs = Readonly<Record<string, InputSpec>>;

const spec = (type: InputSpec['type'], options: InputSpec['options'] = {}): InputSpec => ({ type, options });

const node = (id: string, rest: Partial<GraphNode> & { required?: Inputs } = {}): GraphNode =>
  defineGraphNode({
    id,
    title: id,
    category: 'probe',
    description: '',
    required: {},
    outputs: [],
    run: () => ({ outputs: [] }),
    ...rest,
  });

const outputs = (...types: string[]): GraphNode['outputs'] => types.map((type) => ({ type, name: type }));

/** `None` of Python's messages. */
const show = (value: unknown): string => (value === undefined ? 'None' : String(value));

export const validationNodes: readonly GraphNode[] = [
  node('ProbeSource', {
    optional: { number: spec('INT', { min: 0 }) },
    outputs: outputs('IMAGE', 'INT', '*', 'IMAGE,MASK', 'STRING', 'COMBO'),
  }),
  node('ProbePass', { required: { image: spec('IMAGE') }, outputs: outputs('IMAGE') }),
  node('ProbeRaising', {
    required: { number: spec('INT') },
    outputs: outputs('IMAGE'),
    validate: {
      inputs: ['number'],
      check() {
        throw Object.assign(new Error('broken'), { name: 'ValueError' });
      },
    },
  }),
  node('ProbeEmpty', { terminal: true }),
  node('ProbeRequired', {
    terminal: true,
    required: { image: spec('IMAGE'), seed: spec('INT', { min: 0, max: 0xffff_ffff_ffff_ffffn }) },
  }),
  node('ProbeKinds', {
    terminal: true,
    optional: {
      small: spec('INT', { default: 1, min: -5, max: 10 }),
      int: spec('INT'),
      part: spec('FLOAT', { min: 0.5, max: 1.5 }),
      float: spec('FLOAT'),
      text: spec('STRING', { multiline: true }),
      flag: spec('BOOLEAN'),
      menu: spec(['a', "it's", 'say "it\'s"', 'é\n']),
      combo: spec('COMBO', { options: ['a', 'b'] }),
      numbers: spec('COMBO', { options: [1, 2.5, 'x', true] }),
      long: spec(Array.from({ length: 25 }, (_, index) => `w${index}`)),
      image: spec('IMAGE'),
      any: spec('*'),
      either: spec('IMAGE,FLOAT'),
      mixed: spec('FLOAT,INT', { min: 0, max: 10 }),
      odd: spec('STRING', { min: 0 }),
      bound: spec('BOOLEAN', { min: 1 }),
      lazy: spec('IMAGE', { lazy: true }),
    },
  }),
  node('ProbeNamed', {
    terminal: true,
    required: { number: spec('INT', { max: 3 }) },
    optional: { other: spec('INT', { max: 3 }) },
    validate: {
      inputs: ['number'],
      check({ number }): true | string {
        if (number === 9) throw Object.assign(new Error('nine'), { name: 'ValueError' });
        // Python's False, which the type of a validator does not offer.
        if (number === 8) return false as never;
        return number === 7 ? 'no sevens' : true;
      },
    },
  }),
  node('ProbeAll', {
    terminal: true,
    required: { number: spec('INT', { max: 3 }) },
    optional: { image: spec('IMAGE'), menu: spec(['a']) },
    hidden: { id: 'UNIQUE_ID', prompt: 'PROMPT', own: 'INT' },
    validate: { inputs: 'all', check: (inputs) => `got ${Object.keys(inputs).sort().join(',')}` },
  }),
  node('ProbeTypes', {
    terminal: true,
    optional: { image: spec('IMAGE'), other: spec('INT', { max: 3 }) },
    validate: {
      inputs: ['image', 'other'],
      checksTypes: true,
      check: ({ image }, types) =>
        Object.keys(types).length > 0 ? `${show(image)} ${show(types['image'])}` : true,
    },
  }),
  node('ProbeAsync', {
    terminal: true,
    required: { text: spec('STRING') },
    validate: {
      inputs: ['text'],
      check: async ({ text }) => text === 'fine' || `${text} is not fine`,
    },
  }),
  node('ProbeList', {
    terminal: true,
    inputIsList: true,
    required: { number: spec('INT'), image: spec('IMAGE') },
    validate: {
      inputs: ['number', 'image'],
      check: ({ number, image }) =>
        [number, image].map((list) => (Array.isArray(list) ? `[${list.map(show)}]` : show(list))).join(' '),
    },
  }),
];
