import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeDiff } from '../../../nodes/metadata/diff/describe-diff.ts';
import { type Comparable, diffPictures } from '../../../nodes/metadata/diff/diff-pictures.ts';
import { parsePromptGraph } from '../../../nodes/metadata/graph.ts';
import { fixtureNames, openFixture } from '../fixture.ts';
import { advanced, chain, kSampler, node, type RawGraph } from '../graphs.ts';

const graphOf = (raw: unknown): Comparable => ({ graph: parsePromptGraph(raw, () => {}) });
const lines = (a: Comparable, b: Comparable): readonly string[] => describeDiff(diffPictures(a, b));

/** The same graph with other ids. */
function renamed(graph: RawGraph, rename: (id: string) => string): RawGraph {
  const ids = new Set(Object.keys(graph));
  const value = (input: unknown): unknown =>
    Array.isArray(input) && ids.has(String(input[0])) ? [rename(String(input[0])), input[1]] : input;
  return Object.fromEntries(
    Object.entries(graph).map(([id, { class_type, inputs = {} }]) => [
      rename(id),
      {
        class_type,
        inputs: Object.fromEntries(Object.entries(inputs).map(([name, input]) => [name, value(input)])),
      },
    ]),
  );
}

const base = chain(kSampler('3', 20));
const withSeed = (graph: RawGraph, seed: unknown): RawGraph => ({
  ...graph,
  3: node('KSampler', { ...graph['3']?.inputs, seed }),
});
const text = (seed: string, positive = 'a heron'): string =>
  `${positive}\nNegative prompt: blur\nSteps: 20, Sampler: Euler, CFG scale: 5, Seed: ${seed}, Size: 64x48, Model: base`;
const picture = { format: 'png', size: '64x48' };

describe('one cause, one line', () => {
  test('only the seed', () => {
    const a = { picture, parameters: text('7'), ...graphOf(base) };
    const b = {
      picture,
      parameters: text('18446744073709551615'),
      ...graphOf(JSON.parse(JSON.stringify(withSeed(base, '18446744073709551615')))),
    };
    expect(lines(a, b)).toEqual(['Seed: 7 -> 18446744073709551615 (3 KSampler.seed)']);
  });

  test('only the seed, of graphs alone', () => {
    expect(lines(graphOf(base), graphOf(withSeed(base, 8)))).toEqual(['3 KSampler.seed: 7 -> 8']);
  });

  test('only words of the prompt', () => {
    const other = { ...base, pos: node('CLIPTextEncode', { text: 'a grey heron', clip: ['ckpt', 1] }) };
    const a = { picture, parameters: text('7'), ...graphOf(base) };
    const b = { picture, parameters: text('7', 'a grey heron'), ...graphOf(other) };
    expect(lines(a, b)).toEqual(['positive prompt: + grey (pos CLIPTextEncode.text)']);
  });

  test('only the model', () => {
    const other = { ...base, ckpt: node('CheckpointLoaderSimple', { ckpt_name: 'other.safetensors' }) };
    const b = { picture, parameters: text('7').replace('Model: base', 'Model: other'), ...graphOf(other) };
    expect(lines({ picture, parameters: text('7'), ...graphOf(base) }, b)).toEqual([
      'Model: base -> other (ckpt CheckpointLoaderSimple.ckpt_name)',
    ]);
  });

  test('nothing', () => {
    expect(lines({ picture, parameters: text('7') }, { picture, parameters: text('7') })).toEqual([
      'the same generation data',
    ]);
  });
});

describe('nodes are known by class and place', () => {
  const two = chain(advanced('a', 20, 0, 10), advanced('b', 20, 10, 20));

  test('other ids are no difference, not even swapped ones', () => {
    for (const graph of [base, two]) {
      expect(diffPictures(graphOf(graph), graphOf(renamed(graph, (id) => `n:${id}`))).same).toBe(true);
      const swap = (id: string): string => ({ a: 'b', b: 'a', pos: 'neg', neg: 'pos' })[id] ?? id;
      expect(diffPictures(graphOf(graph), graphOf(renamed(graph, swap))).same).toBe(true);
    }
  });

  test('a LoRA put in between is one node more and the links that lead through it', () => {
    const lora = node('LoraLoader', { lora_name: 'x.safetensors', model: ['ckpt', 0], clip: ['ckpt', 1] });
    const sampler = node('KSampler', { ...base['3']?.inputs, model: ['lora', 0] });
    const diff = diffPictures(
      graphOf(base),
      graphOf(renamed({ ...base, lora, 3: sampler }, (id) => `${id}0`)),
    );
    expect(diff.graph).toEqual({
      removed: [],
      added: [{ id: 'lora0', classType: 'LoraLoader' }],
      inputs: [],
      links: [
        {
          node: { id: '3', classType: 'KSampler' },
          input: 'model',
          before: { id: 'ckpt', classType: 'CheckpointLoaderSimple', slot: 0 },
          after: { id: 'lora0', classType: 'LoraLoader', slot: 0 },
        },
      ],
    });
  });

  test('of two samplers in a row the right one is told to have changed', () => {
    const steps = chain(advanced('x', 20, 0, 10), advanced('y', 20, 10, 25));
    expect(lines(graphOf(two), graphOf(steps))).toEqual(['b KSamplerAdvanced.end_at_step: 20 -> 25']);
  });
});

describe('what one of the two lacks', () => {
  test('a text, a graph, a format', () => {
    const a = { picture, parameters: text('7'), ...graphOf(base) };
    expect(lines(a, { picture: { format: 'jpeg', size: '64x48' } })).toEqual([
      'format: png -> jpeg',
      'generation text: only in the first, present',
      'prompt graph: only in the first, present',
    ]);
  });
});

describe('on graphs that people use', () => {
  test.each(fixtureNames)('%s does not differ from itself under other ids', (name) => {
    const raw = JSON.parse(openFixture(name).read('prompt.json')) as RawGraph & { prompt?: RawGraph };
    const graph = raw.prompt && !('class_type' in raw.prompt) ? raw.prompt : raw;
    expect(diffPictures(graphOf(graph), graphOf(graph)).same).toBe(true);
  });

  test('any graph and any text are the same as themselves', () => {
    const link = fc.tuple(fc.constantFrom('1', '2', '3', '4', '9'), fc.nat(2));
    const input = fc.oneof(fc.integer(), fc.string(), link);
    const graph = fc.dictionary(
      fc.constantFrom('1', '2', '3', '4'),
      fc.record({
        class_type: fc.constantFrom('A', 'B'),
        inputs: fc.dictionary(fc.constantFrom('x', 'y', 'z'), input),
      }),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(graph, fc.string({ unit: 'binary' }), (raw, parameters) => {
        const one = { picture, parameters, ...graphOf(raw) };
        expect(diffPictures(one, one).same).toBe(true);
      }),
    );
  });
});
