import { expect, test } from 'vitest';
import { HASH_PLACEHOLDER, headerTexts } from '../../../nodes/merge/provenance/header-texts.ts';
import { type MergeRecord, readMergeRecord } from '../../../nodes/merge/provenance/merge-record.ts';
import { showRecipeTree } from '../../../nodes/merge/provenance/recipe-tree.ts';
import { recordTree } from '../../../nodes/merge/provenance/record-tree.ts';

const source = (name: string, digit: string) => ({ name, dataSha256: digit.repeat(64), bytes: 10 });
const inner: MergeRecord = {
  schema: 'lineage:merge/1',
  generator: { name: 'lineage-nodes', version: '0.1.0' },
  engine: 1,
  mode: 'staged',
  step: 'mix',
  recipe: {
    steps: [
      {
        id: 'mix',
        type: 'merge',
        method: 'slerp',
        params: { t: 0.25 },
        models: [{ path: 'source:0' }, { path: 'source:1' }],
      },
    ],
  },
  sources: [{ ...source('a.safetensors', 'a'), licence: 'openrail++' }, source('b.safetensors', 'b')],
};
const outer: MergeRecord = {
  ...inner,
  step: 'final',
  recipe: {
    steps: [
      {
        id: 'base',
        type: 'merge',
        models: [
          { path: 'source:0', weight: 0.6 },
          { path: 'source:1', weight: 0.4 },
        ],
      },
      {
        id: 'final',
        type: 'merge',
        models: [
          { step: 'base', weight: 0.65 },
          { path: 'source:1', weight: 0.35 },
        ],
        vae: { path: 'source:2' },
        output: { precision: 'fp16' },
      },
    ],
  },
  sources: [
    { ...source('mixed.safetensors', 'c'), record: inner },
    source('d.safetensors', 'd'),
    source('vae.safetensors', 'e'),
  ],
};

test('a record comes back from its text', () => {
  expect(readMergeRecord(JSON.stringify(outer))).toEqual(outer);
});

test.each([
  ['no text', undefined],
  ['no JSON', '{'],
  ['the record of a picture', JSON.stringify({ schema: 'lineage:record/1' })],
  ['a key more', JSON.stringify({ ...inner, more: 1 })],
  ['a hash that is none', JSON.stringify({ ...inner, sources: [{ ...source('a', 'a'), dataSha256: 'x' }] })],
  ['a depth that no record has', `{"recipe":${'['.repeat(200_000)}${']'.repeat(200_000)}}`],
])('what is no record is none: %s', (_, text) => {
  expect(readMergeRecord(text)).toBeUndefined();
});

test('the family tree goes through steps and into the records of the sources', () => {
  expect(showRecipeTree(recordTree(outer, { kind: 'file', name: 'out.safetensors' }))).toBe(
    [
      'out.safetensors  =  merge (step final)',
      '├─ 0.65  merge (step base)',
      '│  ├─ 0.6  mixed.safetensors [cccccccccc]  =  slerp (step mix)  (params={"t":0.25})',
      '│  │  ├─ a.safetensors [aaaaaaaaaa] licence openrail++',
      '│  │  └─ b.safetensors [bbbbbbbbbb]',
      '│  └─ 0.4  d.safetensors [dddddddddd]',
      '├─ 0.35  d.safetensors [dddddddddd]',
      '└─ VAE  vae.safetensors [eeeeeeeeee]',
    ].join('\n'),
  );
});

test('what is baked in stands in the tree too', () => {
  const baked: MergeRecord = {
    ...inner,
    recipe: {
      steps: [
        {
          id: 'mix',
          type: 'lora_merge',
          model: { path: 'source:0' },
          loras: [{ path: 'source:1', strength: 0.8 }],
        },
      ],
    },
  };
  expect(showRecipeTree(recordTree(baked, { kind: 'file', name: 'out' }))).toBe(
    [
      'out  =  lora_merge (step mix)',
      '├─ a.safetensors [aaaaaaaaaa] licence openrail++',
      '└─ LoRA 0.8  b.safetensors [bbbbbbbbbb]',
    ].join('\n'),
  );
});

test('a recipe that names itself ends', () => {
  const circle = { ...inner, recipe: { steps: [{ id: 'mix', models: [{ step: 'mix' }] }] } };
  expect(showRecipeTree(recordTree(circle, { kind: 'file', name: 'x' })).length).toBeLessThan(20_000);
});

test('the header says it for every reader: ModelSpec’s musts, the parents for A1111, the licences of the parents', () => {
  const texts = headerTexts(inner, {
    title: 'Mix',
    architecture: 'stable-diffusion-xl-v1-base',
    method: 'slerp',
    halves: true,
  });
  expect([...texts.keys()]).toEqual([...texts.keys()].sort());
  // ModelSpec 1.0.1: these four must be there.
  for (const key of ['sai_model_spec', 'architecture', 'implementation', 'title'])
    expect(texts.get(`modelspec.${key}`)).toBeTruthy();
  expect(texts.get('modelspec.hash_sha256')).toBe(HASH_PLACEHOLDER);
  expect(texts.get('modelspec.license')).toBe('openrail++');
  expect(texts.get('modelspec.merged_from')).toBe('a.safetensors, b.safetensors');
  expect(readMergeRecord(texts.get('lineage'))).toEqual(inner);
  expect(JSON.parse(texts.get('sd_merge_recipe') ?? '')).toMatchObject({
    primary_model_hash: 'a'.repeat(64),
    secondary_model_hash: 'b'.repeat(64),
    interp_method: 'slerp',
    save_as_half: true,
  });
  expect(Object.keys(JSON.parse(texts.get('sd_merge_models') ?? ''))).toEqual([
    'a'.repeat(64),
    'b'.repeat(64),
  ]);
});
