import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { manifestToNodes } from '../../../nodes/merge/graph/manifest-to-nodes.ts';
import { nodesToManifest } from '../../../nodes/merge/graph/nodes-to-manifest.ts';
import { readManifest } from '../../../nodes/pipeline/read-manifest.ts';

const folder = new URL('../../../fixtures/examples/merge/', import.meta.url);

/** The nodes that each example opens as, written by hand. */
const OPENED: Readonly<Record<string, string>> = {
  'complex.json': 'Source Source Merge Source Source Merge Source Merge Run',
  'conditional.yaml': 'Step Source Merge Step Step Step Run',
  'iterative.yaml': 'Step Step Run',
  'single.json': 'Source Source Source Source Merge Run',
  'staged.yaml': 'Source Source Merge Source Source Source Merge Blocks Merge Step Step Run',
  'tournament.yaml': 'Step Step Merge Run',
  'tuned.yaml': 'Step Step Run',
};
const WORDS: Readonly<Record<string, string>> = {
  LineageMergeSource: 'Source',
  LineageMerge: 'Merge',
  LineageBlockWeights: 'Blocks',
  LineageLoraMerge: 'Lora',
  LineageMergeStep: 'Step',
  LineageRunPipeline: 'Run',
};

function roundTrip(manifest: unknown): string {
  const { prompt, run } = manifestToNodes(manifest);
  const read = readManifest(manifest);
  expect(read.findings).toEqual([]);
  expect(readManifest(nodesToManifest(prompt, run))).toEqual(read);
  return Object.values(prompt)
    .map(({ class_type }) => WORDS[class_type])
    .join(' ');
}

describe('a manifest opens as nodes, and these save as the same manifest', () => {
  test('every example is known here', () => {
    expect(readdirSync(folder).filter((name) => /\.(json|yaml)$/.test(name))).toEqual(Object.keys(OPENED));
  });

  test.each(Object.entries(OPENED))('%s', (name, opened) => {
    expect(roundTrip(parse(readFileSync(new URL(name, folder), 'utf8')))).toBe(opened);
  });

  const a = { path: 'a.safetensors' };
  const loras = [{ path: 'one.safetensors', strength: 0.5 }, { path: 'two.safetensors' }];
  test.each([
    [
      'several LoRAs of one step are a chain',
      { id: 'x', type: 'lora_merge', model: a, loras },
      'Source Lora Lora Run',
    ],
    [
      'a VAE, weights and details of references',
      {
        ...{
          id: 'x',
          type: 'merge',
          models: [
            { ...a, weight: 0.25, description: 'd' },
            { ...a, weight: -1 },
          ],
        },
        ...{
          vae: { path: 'v.safetensors', precision_detected: 'fp16' },
          missing: 'base',
          output: 'o.safetensors',
        },
      },
      'Source Source Source Merge Run',
    ],
    [
      'a parameter of every kind',
      {
        id: 'x',
        type: 'merge',
        method: 'ties',
        base: a,
        models: [a],
        params: { density: 0.5, scope: 'tensor' },
      },
      'Source Merge Run',
    ],
    [
      'parameters beside and at their defaults',
      {
        ...{ id: 'x', type: 'merge', method: 'ties', base: a, models: [a] },
        params: { density: 0.2, lambda: 1, sign: 'count', sign_weighted: false, normalize: 'weights' },
      },
      'Source Merge Run',
    ],
    [
      'blocks beside a value of the parameter that they set',
      {
        ...{ id: 'x', type: 'block_merge', method: 'sum-twice', models: [a, a, a], blocks: 'GRAD_V' },
        params: { alpha: 0.2, beta: 0.3 },
      },
      'Blocks Source Merge Run',
    ],
    [
      'a method that is not there stays text',
      { id: 'x', type: 'merge', method: 'no-such', models: [a] },
      'Run',
    ],
    ['more models than sockets stay text', { id: 'x', type: 'merge', models: Array(9).fill(a) }, 'Run'],
    ['a circle stays text', { id: 'x', type: 'merge', models: [{ step: 'x' }] }, 'Run'],
    ['a reference to nothing stays text', { id: 'x', type: 'merge', models: [{ step: 'y' }] }, 'Run'],
  ])('%s', (_, step, opened) => {
    expect(roundTrip({ pipeline: { name: 'n', steps: [step], cleanup: { temp_files: false } } })).toBe(
      opened,
    );
  });

  test('what a widget can say stands in it, a default that is spelt out on the line', () => {
    const params = { density: 0.2, lambda: 1, sign: 'count', sign_weighted: false };
    const { prompt } = manifestToNodes({
      method: 'ties',
      base: a,
      models: [a],
      params,
      output: 'o.safetensors',
    });
    expect(
      Object.values(prompt).find(({ class_type }) => class_type === 'LineageMerge')?.inputs,
    ).toMatchObject({
      ...{ method: 'ties', 'method.density': 0.2, 'method.sign': 'count', 'method.sign_weighted': false },
      params: 'lambda=1',
    });
  });

  test('what is no manifest is refused', () => {
    expect(() => manifestToNodes({ pipeline: { steps: [] } })).toThrow(
      'pipeline.steps: expected at least 1 entry, got an empty list',
    );
  });
});
