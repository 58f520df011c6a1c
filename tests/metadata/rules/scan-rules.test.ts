import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { readClassShapes } from '../../../nodes/metadata/rules/class-shapes.ts';
import { readRules } from '../../../nodes/metadata/rules/read-rules.ts';
import { findGaps } from '../../../nodes/metadata/rules/rule-gaps.ts';
import { type ScanOptions, scanRules } from '../../../nodes/metadata/rules/scan-rules.ts';
import { openUserBook, packBook } from '../../../nodes/metadata/rules/user-book.ts';
import { writeProposals, writeRulesJson } from '../../../nodes/metadata/rules/write-rules.ts';

const ALL: ScanOptions = { mode: 'all', exclude: [], force: [] };

/** Two classes that nobody made, as a ComfyUI would declare them. */
const MADE_UP = {
  'Moon Sampler': {
    input: {
      required: {
        model: ['MODEL', {}],
        positive: ['CONDITIONING', {}],
        negative: ['CONDITIONING', {}],
        latent: ['LATENT', {}],
        noise_seed: ['INT', {}],
        steps: ['INT', {}],
        cfg: ['FLOAT', {}],
        sampler_name: [['euler'], {}],
      },
      optional: { guidance_scale: ['FLOAT', {}] },
    },
    output: ['LATENT'],
    python_module: 'custom_nodes.moon',
    output_node: false,
  },
  'Moon Text': {
    input: { required: { clip: ['CLIP', {}], words: ['STRING', { multiline: true }] } },
    output: ['CONDITIONING'],
    python_module: 'custom_nodes.moon',
    output_node: false,
  },
  'Moon Clock': {
    input: { required: { hour: ['INT', {}] } },
    output: ['INT'],
    python_module: 'custom_nodes.moon',
  },
};
const shapes = readClassShapes(MADE_UP);

test('proposes what inputs and outputs tell, with its evidence, and nothing where they tell nothing', () => {
  const proposals = scanRules(shapes, packBook, ALL);
  expect(proposals.map(({ classType, rule }) => [classType, rule])).toEqual([
    [
      'Moon Sampler',
      {
        role: 'sampler',
        takes: { model: 'model', positive: 'positive', negative: 'negative', latent: 'latent' },
        puts: ['latent'],
        reads: {
          SEED: { input: 'noise_seed' },
          STEPS: { input: 'steps' },
          CFG: { input: 'cfg' },
          SAMPLER_NAME: { input: 'sampler_name' },
        },
      },
    ],
    [
      'Moon Text',
      {
        role: 'encoder',
        takes: { clip: 'clip' },
        reads: {
          POSITIVE_PROMPT: { input: 'words', on: 'positive' },
          NEGATIVE_PROMPT: { input: 'words', on: 'negative' },
        },
      },
    ],
  ]);
  const seed = proposals[0]?.evidence.find(({ about }) => about === 'reads.SEED');
  expect(seed).toMatchObject({ input: 'noise_seed', type: 'INT', confidence: 'high' });
  expect(proposals[0]?.diff).toContain('+ reads.SEED: {"input":"noise_seed"}');
});

describe('which classes', () => {
  const names = (options: Partial<ScanOptions>, book = packBook) =>
    scanRules(shapes, book, { ...ALL, ...options }).map(({ classType }) => classType);
  const mine = openUserBook(
    [{ name: 'a.yaml', text: 'version: 1\nnodes: { Moon Text: { role: encoder, takes: { clip: clip } } }' }],
    () => {},
  );

  test.each<[string, Partial<ScanOptions>, string[]]>([
    ['new ones', { mode: 'new_only' }, ['Moon Sampler']],
    ['those with rules', { mode: 'existing_only' }, ['Moon Text']],
    ['all', {}, ['Moon Sampler', 'Moon Text']],
    ['without a word', { exclude: ['SAMPLER'] }, ['Moon Text']],
    ['of a graph', { only: new Set(['Moon Text']) }, ['Moon Text']],
    ['forced', { mode: 'new_only', exclude: ['moon'], force: ['Moon Text'] }, ['Moon Text']],
  ])('%s', (_, options, expected) => expect(names(options, mine)).toEqual(expected));

  test('fields are left out and forced by name', () => {
    const [sampler] = scanRules(shapes, packBook, { ...ALL, exclude: ['SEED', 'CFG'], force: [] });
    expect(Object.keys(sampler?.rule.reads ?? {})).toEqual(['STEPS', 'SAMPLER_NAME']);
    const [weak] = scanRules(
      readClassShapes({
        S: {
          ...MADE_UP['Moon Sampler'],
          input: {
            required: { ...MADE_UP['Moon Sampler'].input.required, cfg: undefined },
            optional: { guidance_scale: ['FLOAT', {}] },
          },
        },
      }),
      packBook,
      { ...ALL, force: ['CFG'] },
    );
    expect(weak?.rule.reads?.CFG).toEqual({ input: 'guidance_scale' });
    expect(weak?.confidence).toBe('low');
  });

  test('the diff says what a rule that is there has otherwise', () => {
    const [, text] = scanRules(shapes, mine, ALL);
    expect(text?.diff).toEqual(
      [
        '+ reads.NEGATIVE_PROMPT: {"input":"words","on":"negative"}',
        '+ reads.POSITIVE_PROMPT: {"input":"words","on":"positive"}',
      ].sort((a, b) => (a.includes('POS') ? -1 : b.includes('POS') ? 1 : 0)),
    );
  });
});

test("ComfyUI's own classes: proposals are rules, and agree with ours where it matters", () => {
  const lines = readFileSync(
    new URL('../../../nodes/workflow/core-object-info.jsonl', import.meta.url),
    'utf8',
  );
  const classes = lines
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line))
    .filter(isRecord);
  const core = readClassShapes(Object.fromEntries(classes.map((each) => [String(each['name']), each])));
  const proposals = scanRules(core, packBook, ALL);
  const { pack, findings } = readRules({ name: 'a.yaml', text: writeProposals(proposals) });
  expect(findings).toEqual([]);
  expect(Object.keys(pack?.nodes ?? {})).toHaveLength(proposals.length);
  for (const name of ['KSampler', 'KSamplerAdvanced', 'SamplerCustomAdvanced'])
    expect(pack?.nodes[name]?.role, name).toBe('sampler');
  const wrong = proposals.filter(
    ({ classType, rule }) =>
      rule.role === 'sampler' && packBook.get(classType)?.rule.role !== 'sampler' && packBook.has(classType),
  );
  expect(wrong.map(({ classType }) => classType)).toEqual([]);
});

test('whatever a server declares: no throw, and every proposal is a good rule', () => {
  const type = fc.oneof(
    fc.constantFrom(
      'MODEL',
      'CLIP',
      'VAE',
      'CONDITIONING',
      'LATENT',
      'IMAGE',
      'INT',
      'FLOAT',
      'STRING',
      'GUIDER',
      'SIGMAS',
      '__proto__',
      'constructor',
    ),
    fc.jsonValue({ maxDepth: 1 }),
  );
  const name = fc.oneof(
    fc.constantFrom(
      'model',
      'positive',
      'negative',
      'seed',
      'steps',
      'ckpt_name',
      'text',
      'width',
      'image',
      'constructor',
      '__proto__',
      'toString',
    ),
    fc.string(),
  );
  const group = fc.dictionary(
    name,
    fc.oneof(fc.tuple(type, fc.constantFrom({}, { multiline: true }, null)), fc.jsonValue({ maxDepth: 1 })),
  );
  const cls = fc.oneof(
    fc.record({
      input: fc.record({ required: group, optional: group }),
      output: fc.array(type, { maxLength: 5 }),
      output_node: fc.boolean(),
      python_module: fc.string(),
    }),
    fc.jsonValue(),
  );
  const info = fc.oneof(
    fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('My Sampler', '__proto__')), cls),
    fc.jsonValue(),
  );
  fc.assert(
    fc.property(info, (objectInfo) => {
      const found = readClassShapes(objectInfo);
      findGaps(found, packBook, new Map());
      const proposals = scanRules(found, packBook, ALL).filter(
        ({ classType, rule }) => !JSON.stringify([classType, rule]).includes('__proto__'),
      );
      for (const text of [
        writeProposals(proposals),
        writeRulesJson(Object.fromEntries(proposals.map((each) => [each.classType, each.rule]))),
      ]) {
        expect(readRules({ name: 'a', text }).findings.filter(({ level }) => level === 'error')).toEqual([]);
      }
    }),
    { numRuns: 500 },
  );
});

test('gaps are grouped by pack, most used first', () => {
  const uses = new Map([['Moon Text', 3]]);
  const others = readClassShapes({
    KSampler: { input: {}, output: [], python_module: 'nodes' },
    'Sun A': { input: {}, output: [], python_module: 'custom_nodes.sun' },
  });
  expect(findGaps([...others, ...shapes], packBook, uses)).toEqual([
    {
      pythonModule: 'moon',
      total: 3,
      classes: [
        { classType: 'Moon Text', uses: 3 },
        { classType: 'Moon Clock', uses: 0 },
        { classType: 'Moon Sampler', uses: 0 },
      ],
    },
    { pythonModule: 'sun', total: 1, classes: [{ classType: 'Sun A', uses: 0 }] },
  ]);
});
