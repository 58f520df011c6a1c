import { describe, expect, test } from 'vitest';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { allFacts, learn } from '../../nodes/metadata/learn.ts';
import { asText } from '../../nodes/metadata/operations.ts';
import { createRuleBook } from '../../nodes/metadata/rule-book.ts';
import { DEFAULT_MAX_SAMPLERS } from '../../nodes/metadata/samplers.ts';
import type { MetaField, NodeRule, Place } from '../../rules/define.ts';

/** What the words of `rules/define.ts` mean, each on the smallest graph that tells it from its neighbours. */

type Nodes = Readonly<
  Record<string, readonly [classType: string, inputs: Readonly<Record<string, unknown>>]>
>;

const SAVE: NodeRule = { role: 'saver', takes: { images: 'image' } };
const SAMPLER: NodeRule = {
  role: 'sampler',
  takes: { model: 'model', positive: 'positive', latent: 'latent' },
  puts: ['latent'],
  reads: { SEED: { input: 'seed' }, STEPS: { input: 'steps' } },
};

function learnFrom(nodes: Nodes, rules: Readonly<Record<string, NodeRule>>, executed?: unknown) {
  const codes: string[] = [];
  const graph = parsePromptGraph(
    Object.fromEntries(
      Object.entries(nodes).map(([id, [class_type, inputs]]) => [id, { class_type, inputs }]),
    ),
    (code) => codes.push(code),
  );
  const book = createRuleBook([
    { pack: 'test', source: '', nodes: { Save: SAVE, Sampler: SAMPLER, ...rules } },
  ]);
  const learnt = learn(
    graph,
    'save',
    book,
    {
      select: 'range',
      maxSamplers: DEFAULT_MAX_SAMPLERS,
      ...(executed !== undefined && { executed: () => executed }),
    },
    (code) => codes.push(code),
  );
  return { learnt, codes };
}

/** The values of one field, each as text. */
function values(field: MetaField, nodes: Nodes, rules: Readonly<Record<string, NodeRule>>): string[] {
  return allFacts(learnFrom(nodes, rules).learnt)
    .filter((fact) => fact.field === field)
    .map((fact) => asText(fact.value));
}

/** A sampler whose model comes from one node with these inputs. */
function loaded(inputs: Readonly<Record<string, unknown>>): Nodes {
  return {
    save: ['Save', { images: ['s', 0] }],
    s: ['Sampler', { model: ['l', 0], seed: 1, steps: 2 }],
    l: ['Loader', inputs],
  };
}

function loraNames(place: Place, inputs: Readonly<Record<string, unknown>>): string[] {
  return values('LORA_MODEL_NAME', loaded(inputs), {
    Loader: { role: 'loader', reads: { LORA_MODEL_NAME: place } },
  });
}

describe('a place counts if', () => {
  const is = { input: 'lora', on: 'model', if: { input: 'mode', is: ['a', 2] } } as const;
  test.each<[string, Place, Readonly<Record<string, unknown>>, string[]]>([
    ['a value is the one', is, { lora: 'x', mode: 'a' }, ['x']],
    ['a number is the one, by its text', is, { lora: 'x', mode: 2 }, ['x']],
    ['not another', is, { lora: 'x', mode: 'b' }, []],
    ['not where the graph leaves it out', is, { lora: 'x' }, []],
    [
      'by the default, where the graph leaves it out',
      { ...is, if: { input: 'mode', is: 'a', default: 'a' } },
      { lora: 'x' },
      ['x'],
    ],
    ['not where only a run knows', is, { lora: 'x', mode: ['unknown', 0] }, []],
    ['it is not the one', { ...is, if: { input: 'mode', not: 'a' } }, { lora: 'x', mode: 'b' }, ['x']],
    ['it is not: fails', { ...is, if: { input: 'mode', not: ['b', 'a'] } }, { lora: 'x', mode: 'a' }, []],
    [
      'it is not, as far as is known',
      { ...is, if: { input: 'mode', not: 'a' } },
      { lora: 'x', mode: ['unknown', 0] },
      ['x'],
    ],
    ['nothing is linked', { ...is, if: { input: 'mode', linked: false } }, { lora: 'x', mode: 'a' }, ['x']],
    [
      'nothing is linked: fails',
      { ...is, if: { input: 'mode', linked: false } },
      { lora: 'x', mode: ['unknown', 0] },
      [],
    ],
    [
      'all of several hold',
      {
        ...is,
        if: [
          { input: 'mode', is: 'a' },
          { input: 'on', is: true },
        ],
      },
      { lora: 'x', mode: 'a', on: false },
      [],
    ],
    [
      'the input of the same item says so',
      { prefix: 'name_', on: 'model', if: { prefix: 'switch_', is: 'On' } },
      { name_1: 'x', switch_1: 'Off', name_2: 'y', switch_2: 'On', name_3: 'z' },
      ['y'],
    ],
  ])('%s', (_, place, inputs, expected) => expect(loraNames(place, inputs)).toEqual(expected));
});

describe('a prefix', () => {
  const hidden = { n_1: 'a', n_2: 'b', n_10: 'c', n_x: 'd' };
  test('counts to the value of an input', () => {
    expect(loraNames({ prefix: 'n_', count: 'count', on: 'model' }, { ...hidden, count: 2 })).toEqual([
      'a',
      'b',
    ]);
    expect(loraNames({ prefix: 'n_', count: 'count', on: 'model' }, { ...hidden, count: 0 })).toEqual([]);
  });
  test('has an end too, and does not overlap with it', () => {
    const inputs = { l_1_name: 'a', l_1_strength: 'no', l_2_name: 'b', l_name: 'no' };
    expect(loraNames({ prefix: 'l_', suffix: '_name', on: 'model' }, inputs)).toEqual(['a', 'b']);
  });
});

test('entries of a list count where their member is true', () => {
  const loras = [{ name: 'a', active: true }, { name: 'b', active: false }, { name: 'c' }];
  expect(loraNames({ list: 'loras', at: 'name', when: 'active', on: 'model' }, { loras })).toEqual(['a']);
});

describe('bundles', () => {
  const LOADER: NodeRule = {
    role: 'loader',
    pipe: { from: [], slots: ['', null], makes: { model: 1, positive: 2 } },
    gives: [[], [], []],
    reads: {
      MODEL_NAME: { input: 'ckpt', on: 'model' },
      POSITIVE_PROMPT: { input: 'positive', on: 'positive', slot: 2 },
    },
  };
  const PIPE_SAMPLER: NodeRule = {
    role: 'sampler',
    pipe: { from: ['pipe'], slots: ['', null], keys: { model: 'other_model' }, makes: { latent: 1 } },
    uses: { model: 'model', positive: 'positive', latent: 'latent' },
    puts: ['value', 'latent'],
    reads: { SEED: { key: 'seed' }, STEPS: { input: 'steps' } },
  };
  const EDIT: NodeRule = { role: 'pipe', pipe: { from: ['pipe'], slots: [''] } };
  const rules = { Loader: LOADER, PipeSampler: PIPE_SAMPLER, Edit: EDIT };
  const nodes: Nodes = {
    save: ['Save', { images: ['b', 1] }],
    b: ['PipeSampler', { pipe: ['e', 0], steps: 5 }],
    e: ['Edit', { pipe: ['a', 0], seed: 22, wildcard: '' }],
    a: ['PipeSampler', { pipe: ['l', 0], steps: 9, seed: 11 }],
    l: ['Loader', { ckpt: 'base', positive: 'a text, no link' }],
  };

  test('a sampler takes out what a loader made, through a sampler that put its latent in', () => {
    const { learnt, codes } = learnFrom(nodes, rules);
    expect(learnt.samplers.map(({ nodeId }) => nodeId)).toEqual(['a', 'b']);
    expect(values('SEED', nodes, rules)).toEqual(['11', '22']);
    expect(values('MODEL_NAME', nodes, rules)).toEqual(['base', 'base']);
    expect(learnt.captures.map(({ positive }) => positive)).toEqual(['a text, no link', 'a text, no link']);
    expect(codes).toEqual([]);
  });

  test('an input beside the pipe stands before it; an empty text sets nothing', () => {
    const other: Nodes = {
      ...nodes,
      b: ['PipeSampler', { pipe: ['e', 0], steps: 5, other_model: ['o', 1], seed: '' }],
      o: ['Loader', { ckpt: 'other' }],
    };
    expect(values('MODEL_NAME', other, rules)).toEqual(['base', 'other']);
    expect(values('SEED', other, rules)).toEqual(['11', '22']);
  });

  test('a sampler of which only the pipe goes on, without its latent, made nothing', () => {
    const own: Nodes = {
      ...nodes,
      e: ['Edit', { pipe: ['a', 0], seed: 22, latent: ['x', 0] }],
      x: ['Latent', {}],
    };
    const { learnt } = learnFrom(own, { ...rules, Latent: { role: 'latent' } });
    expect(learnt.samplers.map(({ nodeId }) => nodeId)).toEqual(['b']);
  });

  test('a bundle that passes a node by tells nothing of that node', () => {
    const patch: NodeRule = {
      role: 'pipe',
      pipe: { from: ['pipe'], slots: ['', null], makes: { model: 1 } },
      uses: { model: 'model' },
      gives: [[], ['model']],
      reads: { LORA_MODEL_NAME: { input: 'lora', on: 'model' } },
    };
    const patched = (key: string): string[] =>
      values(
        'LORA_MODEL_NAME',
        { ...nodes, e: ['Patch', { pipe: ['l', 0], seed: 22, lora: 'x', refiner: ['l', 1] }] },
        { ...rules, Patch: patch, PipeSampler: { ...PIPE_SAMPLER, uses: { [key]: 'model' } } },
      );
    expect(patched('model')).toEqual(['x']);
    expect(patched('refiner')).toEqual([]);
  });

  test('a path through a bundle leads to the save node', () => {
    const { learnt } = learnFrom(nodes, rules);
    const seed = learnt.captures[1]?.facts.find(({ field }) => field === 'SEED');
    expect(seed?.path()).toEqual(['e', 'b', 'save']);
  });

  test('a circle of bundles ends', () => {
    const circle: Nodes = { ...nodes, l: ['Edit', { pipe: ['e', 0] }] };
    expect(values('MODEL_NAME', circle, rules)).toEqual([]);
  });
});

test('an input or a key is followed only on its condition', () => {
  const rule: NodeRule = {
    role: 'patch',
    takes: { model: 'same', refiner: 'same' },
    only: { refiner: { input: 'refine', is: true } },
    gives: [['model', 'refiner']],
  };
  const graph = (refine: boolean): Nodes => ({
    ...loaded({ model: ['m', 0], refiner: ['r', 0], refine }),
    m: ['Checkpoint', { name: 'base' }],
    r: ['Checkpoint', { name: 'refiner' }],
  });
  const rules = {
    Loader: rule,
    Checkpoint: { role: 'loader', reads: { MODEL_NAME: { input: 'name', on: 'model' } } } satisfies NodeRule,
  };
  expect(values('MODEL_NAME', graph(true), rules)).toEqual(['base', 'refiner']);
  expect(values('MODEL_NAME', graph(false), rules)).toEqual(['base']);
});

test('one input may bring several streams', () => {
  const stack: NodeRule = {
    role: 'loader',
    reads: {
      LORA_MODEL_NAME: { input: 'lora', on: ['model', 'clip'] },
      LORA_STRENGTH_MODEL: { input: 'm', on: 'model' },
      LORA_STRENGTH_CLIP: { input: 'c', on: 'clip' },
    },
  };
  const rules = {
    Loader: { role: 'loader', takes: { stack: ['model', 'clip'] } } satisfies NodeRule,
    Stack: stack,
  };
  const nodes: Nodes = { ...loaded({ stack: ['k', 0] }), k: ['Stack', { lora: 'x', m: 0.5, c: 0.25 }] };
  expect(values('LORA_STRENGTH_MODEL', nodes, rules)).toEqual(['0.5']);
  expect(values('LORA_STRENGTH_CLIP', nodes, rules)).toEqual(['0.25']);
});

test('a switch that hands on at one output says nothing at the others', () => {
  const rules: Readonly<Record<string, NodeRule>> = {
    Switch: { role: 'switch', switch: { by: 'select', prefix: 'in', slots: [0] }, gives: [[], ['label']] },
  };
  const nodes = (slot: number): Nodes => ({
    save: ['Save', { images: ['s', 0] }],
    s: ['Sampler', { seed: ['w', slot], steps: 2 }],
    w: ['Switch', { select: 2, in1: 10, in2: 20, label: 30 }],
  });
  expect(values('SEED', nodes(0), rules)).toEqual(['20']);
  expect(values('SEED', nodes(1), rules)).toEqual(['30']);
});

test('an operation works on what others give, and picks', () => {
  const shout: NodeRule = {
    role: 'string',
    computes: [
      {
        op: 'pick',
        by: { op: 'contains', text: { input: 'text' }, find: { value: '!' } },
        cases: { true: { op: 'case', text: { input: 'text' }, mode: { value: 'UPPERCASE' } } },
        otherwise: { op: 'join', parts: [{ input: 'text' }, { value: '.' }], separator: { value: '' } },
      },
    ],
  };
  const rules: Readonly<Record<string, NodeRule>> = {
    Shout: shout,
    Encode: { role: 'encoder', reads: { POSITIVE_PROMPT: { input: 'text', on: 'positive' } } },
  };
  const nodes = (text: string): Nodes => ({
    save: ['Save', { images: ['s', 0] }],
    s: ['Sampler', { positive: ['p', 0], seed: 1, steps: 2 }],
    p: ['Encode', { text: ['t', 0] }],
    t: ['Shout', { text }],
  });
  expect(values('POSITIVE_PROMPT', nodes('stop!'), rules)).toEqual(['STOP!']);
  expect(values('POSITIVE_PROMPT', nodes('go'), rules)).toEqual(['go.']);
});

describe('samplers', () => {
  test('a text on a sampler stands instead of its conditioning, unless it is empty', () => {
    const rules: Readonly<Record<string, NodeRule>> = {
      Sampler: { ...SAMPLER, reads: { ...SAMPLER.reads, POSITIVE_PROMPT: { input: 'text' } } },
      Encode: { role: 'encoder', reads: { POSITIVE_PROMPT: { input: 'text', on: 'positive' } } },
    };
    const prompt = (text: string): string | undefined =>
      learnFrom(
        {
          save: ['Save', { images: ['s', 0] }],
          s: ['Own', { positive: ['p', 0], seed: 1, steps: 2, text }],
          p: ['Encode', { text: 'the scene' }],
        },
        { ...rules, Own: { ...SAMPLER, reads: { ...SAMPLER.reads, POSITIVE_PROMPT: { input: 'text' } } } },
      ).learnt.captures[0].positive;
    expect(prompt('the face')).toBe('the face');
    expect(prompt(' ')).toBe('the scene');
  });

  test('one that only hands its model on made nothing', () => {
    const rules: Readonly<Record<string, NodeRule>> = {
      Both: { ...SAMPLER, gives: [['model'], ['model', 'positive', 'latent']], puts: ['model', 'latent'] },
    };
    const nodes = (slot: number): Nodes => ({
      save: ['Save', { images: ['b', 1] }],
      b: ['Both', { model: ['a', 0], latent: ['a', slot], seed: 2, steps: 2 }],
      a: ['Both', { seed: 1, steps: 1 }],
    });
    expect(learnFrom(nodes(0), rules).learnt.samplers.map(({ nodeId }) => nodeId)).toEqual(['b']);
    expect(learnFrom(nodes(1), rules).learnt.samplers.map(({ nodeId }) => nodeId)).toEqual(['b', 'a']);
  });
});

describe('sizes', () => {
  const resize = (how: NodeRule['resizes']): Readonly<Record<string, NodeRule>> => ({
    Resize: { role: 'image', takes: { image: 'same' }, ...(how !== undefined && { resizes: how }) },
    Latent: {
      role: 'latent',
      reads: { IMAGE_WIDTH: { input: 'w', on: 'latent' }, IMAGE_HEIGHT: { input: 'h', on: 'latent' } },
    },
  });
  const nodes = (scale: boolean): Nodes => ({
    save: ['Save', { images: ['r', 0] }],
    r: ['Resize', { image: ['s', 0], scale }],
    s: ['Sampler', { latent: ['e', 0], seed: 1, steps: 2 }],
    e: ['Latent', { w: 512, h: 768 }],
  });
  const size = (how: NodeRule['resizes'], scale: boolean) =>
    learnFrom(nodes(scale), resize(how)).learnt.picture.size;

  test('a node that resizes on a condition leaves the size open only then', () => {
    expect(size({ input: 'scale', is: true }, true)).toBeUndefined();
    expect(size({ input: 'scale', is: true }, false)).toEqual({ width: 512, height: 768 });
    expect(size(true, false)).toBeUndefined();
  });

  test('a node that is met by two outputs scales once', () => {
    const rules: Readonly<Record<string, NodeRule>> = {
      ...resize(undefined),
      Decode: { role: 'image', takes: { samples: 'latent', vae: 'vae' } },
      Upscale: {
        role: 'latent',
        takes: { samples: 'same' },
        gives: [['samples'], []],
        reads: { SCALE_BY: { input: 'by', on: ['latent', 'image'] } },
      },
    };
    const twice: Nodes = {
      save: ['Save', { images: ['d', 0] }],
      d: ['Decode', { samples: ['u', 0], vae: ['u', 1] }],
      u: ['Upscale', { samples: ['s', 0], by: 2 }],
      s: ['Sampler', { latent: ['e', 0], seed: 1, steps: 2 }],
      e: ['Latent', { w: 512, h: 768 }],
    };
    expect(learnFrom(twice, rules).learnt.picture.size).toEqual({ width: 1024, height: 1536 });
  });
});

test('what a node makes when it runs is said to be unknown where it has not run', () => {
  const rules: Readonly<Record<string, NodeRule>> = {
    Loader: { role: 'loader', reads: { MODEL_NAME: { output: 1, on: 'model' } } },
  };
  expect(learnFrom(loaded({}), rules).codes).toEqual(['value/unresolved']);
  expect(learnFrom(loaded({}), rules, 'made.safetensors').codes).toEqual([]);
});
