import { describe, expect, test } from 'vitest';
import spellings from '../../fixtures/lora/spellings.json' with { type: 'json' };
import type { TensorInfo } from '../../nodes/lora/adapter-module.ts';
import { type AdapterContents, readAdapter } from '../../nodes/lora/read-adapter.ts';

function headerOf(shapes: Readonly<Record<string, readonly number[] | undefined>>): Map<string, TensorInfo> {
  return new Map(Object.entries(shapes).map(([name, shape]) => [name, { dtype: 'F32', shape: shape ?? [] }]));
}

function readNames(...names: string[]): AdapterContents {
  return readAdapter(headerOf(Object.fromEntries(names.map((name) => [name, [2, 2]]))));
}

/** Every name that the contents speak of. */
function namesIn({ modules, embeddings, unused }: AdapterContents): string[] {
  const names = [
    ...modules.flatMap(({ tensors }) => Object.values(tensors)),
    ...[...embeddings.values()].flatMap((tensors) => [...tensors.values()]),
    ...unused.map(({ name }) => name),
  ];
  return [...new Set(names)].sort();
}

describe('spellings', () => {
  test.each(spellings)(
    "$title: the kinds, and the idle tensors, are ComfyUI's",
    ({ header, kinds, unused }) => {
      const contents = readAdapter(headerOf(header));
      const found = contents.modules.map(({ target, part, kind }) => [`${target}.${part}`, kind]);
      expect(Object.fromEntries(found)).toEqual(kinds);
      expect(contents.unused.map(({ name }) => name).sort()).toEqual([...unused].sort());
      expect(namesIn(contents)).toEqual(Object.keys(header).sort());
    },
  );

  test('a file may mix them all', () => {
    const shapes: Record<string, number[]> = {};
    for (const [i, { header }] of spellings.entries()) {
      for (const [name, shape] of Object.entries(header)) shapes[`m${i}.${name}`] = shape;
    }
    const contents = readAdapter(headerOf(shapes));
    expect(contents.modules).toHaveLength(
      spellings.reduce((sum, { kinds }) => sum + Object.keys(kinds).length, 0),
    );
    expect(namesIn(contents)).toEqual(Object.keys(shapes).sort());
  });
});

describe('modules', () => {
  test('name their tensors by role, in the spelling that was read', () => {
    const { modules } = readNames(
      'lora_te1_a.lora_up.weight',
      'lora_te1_a.lora_down.weight',
      'lora_te1_a.alpha',
    );
    expect(modules).toEqual([
      {
        target: 'lora_te1_a',
        part: 'weight',
        kind: 'lora',
        dialect: 'kohya',
        tensors: {
          up: 'lora_te1_a.lora_up.weight',
          down: 'lora_te1_a.lora_down.weight',
          alpha: 'lora_te1_a.alpha',
        },
      },
    ]);
  });

  test("ComfyUI's and PEFT's magnitudes differ in what they count", () => {
    const comfy = readNames('a.lora_A.weight', 'a.lora_B.weight', 'a.dora_scale');
    const peft = readNames('a.lora_A.weight', 'a.lora_B.weight', 'a.lora_magnitude_vector');
    expect(comfy.modules[0]?.dora).toEqual({ axis: 'by shape' });
    expect(peft.modules[0]?.dora).toEqual({ axis: 'output' });
  });

  test('embeddings that came along are set apart', () => {
    const { embeddings, modules, unused } = readNames(
      'bundle_emb.cat.string_to_param.*',
      'bundle_emb.dog.clip_l',
      'bundle_emb.dog.clip_g',
    );
    expect([modules, unused]).toEqual([[], []]);
    expect(embeddings.get('cat')).toEqual(
      new Map([['string_to_param.*', 'bundle_emb.cat.string_to_param.*']]),
    );
    expect([...(embeddings.get('dog')?.keys() ?? [])]).toEqual(['clip_l', 'clip_g']);
  });

  test('control LoRAs of Flux bring whole scales, biases, and a wider input layer', () => {
    const { modules, unused } = readAdapter(
      headerOf({
        'img_in.lora_A.weight': [8, 128],
        'img_in.lora_B.weight': [3072, 8],
        'img_in.lora_B.bias': [3072],
        'single_blocks.0.norm.key_norm.scale': [128],
      }),
    );
    expect(unused).toEqual([]);
    expect(modules.map(({ target, part, kind, reshape }) => [target, part, kind, reshape])).toEqual([
      ['single_blocks.0.norm.key_norm.scale', 'weight', 'set', undefined],
      ['img_in', 'weight', 'lora', [3072, 128]],
      ['img_in', 'bias', 'lora', undefined],
    ]);
  });
});

describe('nothing is dropped silently', () => {
  test.each([
    ['half a pair', ['a.lora_up.weight'], 'incomplete'],
    ['half of LoKr', ['a.lokr_w1', 'a.lokr_w2_a'], 'incomplete'],
    [
      'a side that is whole and a product',
      ['a.lokr_w1', 'a.lokr_w1_a', 'a.lokr_w1_b', 'a.lokr_w2'],
      'incomplete',
    ],
    [
      'one core of two',
      ['a.hada_w1_a', 'a.hada_w1_b', 'a.hada_w2_a', 'a.hada_w2_b', 'a.hada_t1'],
      'incomplete',
    ],
    ['blocks of a matrix', ['a.oft_blocks'], 'incomplete'],
    ['a bias of B without A', ['a.lora_B.bias'], 'incomplete'],
    ['an alpha alone', ['a.alpha'], 'ownerless'],
    ['other names', ['a.weight', '', 'lora_up', '__proto__'], 'unrecognised'],
  ])('%s', (_, names, reason) => {
    const { modules, unused } = readNames(...names);
    expect(modules).toEqual([]);
    expect(unused).toEqual(names.map((name) => ({ name, reason })));
  });

  test('what belongs to no module beside it', () => {
    expect(readNames('a.diff', 'a.alpha').unused).toEqual([{ name: 'a.alpha', reason: 'ownerless' }]);
    const { unused } = readNames('a.lokr_w1', 'a.lokr_w2', 'a.reshape_weight');
    expect(unused).toEqual([{ name: 'a.reshape_weight', reason: 'ownerless' }]);
  });

  test('the second spelling of one thing', () => {
    expect(readNames('a.diff', 'a.w_norm').unused).toEqual([{ name: 'a.w_norm', reason: 'repeated' }]);
  });
});
