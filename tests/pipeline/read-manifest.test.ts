import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeFinding } from '../../nodes/pipeline/finding.ts';
import { STEP_TYPES } from '../../nodes/pipeline/manifest.ts';
import { readManifest } from '../../nodes/pipeline/read-manifest.ts';
import { ifStep } from './models.ts';

const SEED: unknown = JSON.parse(
  readFileSync(new URL('../../fixtures/examples/merge/complex.json', import.meta.url), 'utf8'),
);
const wrap = (...steps: object[]): unknown => ({ pipeline: { steps } });
const merge = { id: 'a', type: 'merge', models: [{ path: 'a' }], output: 'x' };
const told = (value: unknown): string[] =>
  readManifest(value).findings.map(
    ({ where, expected, got }) => `${where}: expected ${expected}, got ${got}`,
  );

describe('what is read', () => {
  test("the seed's example, with every key of it", () => {
    const { manifest } = readManifest(SEED);
    expect(manifest?.steps.map(({ id, type, dependencies }) => [id, type, dependencies])).toEqual([
      ['base_merge', 'merge', undefined],
      ['style_merge', 'merge', undefined],
      ['final_composition', 'merge', ['base_merge', 'style_merge']],
    ]);
    expect(manifest?.cleanup).toEqual({ temp_files: true, keep_intermediates: false });
    expect(manifest?.steps[2]).toMatchObject({
      device: 'cuda',
      prune: true,
      vae: { path: 'anime_vae.safetensors', precision_detected: 'fp16' },
      output: { path: 'final_anime_realistic.safetensors', precision: 'fp16' },
    });
  });

  test('a single merge stands for a pipeline of one step', () => {
    const { manifest } = readManifest({ models: [{ path: 'a', weight: 0.25 }], output: { path: 'x' } });
    expect(manifest?.steps).toMatchObject([
      { id: 'merge', type: 'merge', device: 'auto', missing: 'error', not_finite: 'keep', prune: false },
    ]);
  });
});

describe('what is refused says where, what and the nearest', () => {
  test.each([
    [{ ...merge, modles: [] }, 'pipeline.steps[0]: expected a known key, perhaps "models", got "modles"'],
    [{ ...merge, type: 'block-merge' }, 'perhaps "block_merge"'],
    [{ ...merge, models: [] }, 'pipeline.steps[0].models: expected at least 1 entry, got an empty list'],
    [
      { ...merge, models: [{ path: 'a', step: 'b' }] },
      'models[0]: expected either "path" or "step", got an object',
    ],
    [{ ...merge, models: [{ path: 'a', weight: '1' }] }, 'models[0].weight: expected a number, got "1"'],
    [{ ...merge, device: 'gpu' }, 'device: expected one of "auto", "cpu", "cuda", got "gpu"'],
    [
      { ...merge, output: { path: 'x', precison: 'fp16' } },
      'output: expected a known key, perhaps "precision", got "precison"',
    ],
    [{ ...merge, output: 5 }, 'output: expected a text, or an object, got 5'],
    [{ ...merge, id: 'a[1]' }, 'id: expected an id of up to 100 letters'],
    [{ id: 'l', type: 'loop', times: 0, steps: [merge] }, 'times: expected at least 1, got 0'],
    [ifStep('i', { all: [] }, [merge]), 'condition.all: expected at least 1 entry'],
    [
      ifStep('i', { model: { path: 'a' }, property: 'tensors' }, [merge]),
      'condition: expected "model" with "property"',
    ],
    [
      ifStep('i', { step: 'a', score: 's', is: 1, any: [{ not: {} }] }, [merge]),
      'condition.any[0].not: expected',
    ],
    [{ ...merge, id: 'x', type: 'extract', model: { path: 'a' }, part: 'lora' }, 'got'],
  ])('%j', (step, message) => {
    expect(told(wrap(step)).join('\n')).toContain(message);
  });

  test('several faults come together, each with its step', () => {
    const { findings } = readManifest(wrap({ ...merge, device: 'gpu' }, { ...merge, id: 'b', prune: 3 }));
    expect(findings.map(({ step }) => step)).toEqual(['a', 'b']);
    expect(describeFinding(findings[0]!)).toBe(
      'error in step "a", pipeline.steps[0].device: expected one of "auto", "cpu", "cuda", got "gpu". Correct the manifest at the place named; its format is published as a JSON Schema.',
    );
  });

  test('no manifest at all', () => {
    expect(told({})[0]).toContain('the key "pipeline", or "models" for a single merge');
    for (const value of [null, undefined, 'pipeline', 3, [], [merge], Symbol('x'), () => 1])
      expect(told(value)[0]).toContain('an object with "pipeline" or "models"');
  });

  test('what no document holds: cycles, depth, prototypes', () => {
    const round: Record<string, unknown> = {};
    round['pipeline'] = { steps: [round] };
    let deep: object = merge;
    for (let i = 0; i < 5000; i++) deep = { id: 'l', type: 'loop', times: 1, steps: [deep] };
    for (const value of [
      round,
      wrap(deep),
      JSON.parse('{"models":[{"__proto__":{"path":"a"}}],"output":"x"}'),
    ])
      expect(readManifest(value).findings).toHaveLength(1);
  });
});

test('whatever comes, findings are collected and nothing is thrown', () => {
  const word = fc.constantFrom(
    ...STEP_TYPES,
    'pipeline',
    'path',
    'fp16',
    'a',
    '',
    '__proto__',
    'x'.repeat(200),
  );
  const key = fc.constantFrom(
    ...[
      'pipeline',
      'steps',
      'id',
      'type',
      'models',
      'path',
      'step',
      'weight',
      'output',
      'then',
      'else',
      'branches',
    ],
    ...[
      'condition',
      'all',
      'not',
      'times',
      'tune',
      'score',
      'params',
      'blocks',
      'cleanup',
      'toString',
      'constructor',
    ],
  );
  const { node } = fc.letrec((tie) => ({
    node: fc.oneof(
      { maxDepth: 6 },
      word,
      fc.oneof(fc.double(), fc.integer(), fc.boolean(), fc.constant(null), fc.constant(undefined)),
      fc.array(tie('node'), { maxLength: 4 }),
      fc.dictionary(fc.oneof(key, word), tie('node'), { maxKeys: 6 }),
    ),
  }));
  fc.assert(
    fc.property(fc.oneof(fc.anything({ withBigInt: true, withNullPrototype: true }), node), (value) => {
      for (const each of [
        value,
        { pipeline: value },
        wrap({ ...merge, models: value }),
        { models: value, output: value },
      ]) {
        const { manifest, findings } = readManifest(each);
        expect(manifest === undefined).toBe(findings.length > 0);
        for (const finding of findings)
          expect(describeFinding(finding)).toMatch(/^error.*: expected .+, got .+\. ./s);
      }
    }),
    { numRuns: 400 },
  );
});
