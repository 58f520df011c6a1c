import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { checkPipeline, layOutManifest } from '../../nodes/pipeline/check.ts';
import { fileOf, nothingAt, optionsOf, realTensors } from './models.ts';

const EXAMPLES = new URL('../../fixtures/examples/merge/', import.meta.url);
const NAMES = readdirSync(EXAMPLES).filter((name) => /\.(json|yaml)$/.test(name));

const SDXL = realTensors('sdxl').tensors;
const VAE = Object.fromEntries(
  Object.entries(SDXL).flatMap(([name, text]) =>
    name.startsWith('first_stage_model.') ? [[name.slice('first_stage_model.'.length), text]] : [],
  ),
);

function check(name: string, mode: 'staged' | 'fused') {
  // YAML is a superset of JSON.
  const { laidOut, findings } = layOutManifest(parse(readFileSync(new URL(name, EXAMPLES), 'utf8')));
  if (!laidOut) throw new Error(JSON.stringify(findings, null, 1));
  const files = [
    ...laidOut.reads.map((path) => fileOf(path, path.includes('vae') ? VAE : SDXL)),
    ...laidOut.writes.map((path) => nothingAt(path)),
  ];
  const facts = { files: new Map(files.map((file) => [file.path, file])), freeBytes: new Map() };
  const costs = { threads: 2, fixedBytes: 0, bytesPerThread: 0, needOf: () => 0 };
  return { laidOut, ...checkPipeline(laidOut, facts, optionsOf({ mode }), costs) };
}

describe('every example is sound, and plans on models of real layout', () => {
  test.each(NAMES)('%s', (name) => {
    const { findings, steps } = check(name, 'staged');
    expect(findings).toEqual([]);
    const files = steps.filter(({ writes, runs }) => writes === 'file' && runs !== 'no');
    expect(files.length).toBeGreaterThan(0);
    for (const { job } of files) expect(job?.tensors).toHaveLength(Object.keys(SDXL).length);
  });

  test('there is one for each way of merging that users ask for', () => {
    expect(NAMES).toEqual(
      expect.arrayContaining([
        'tournament.yaml',
        'staged.yaml',
        'conditional.yaml',
        'iterative.yaml',
        'complex.json',
      ]),
    );
  });
});

test("the seed's example: three steps staged; fused, one job of five files that is written once", () => {
  const staged = check('complex.json', 'staged');
  expect(staged.steps.map(({ flat, writes }) => `${flat.id} ${writes}`)).toEqual([
    'base_merge file',
    'style_merge file',
    'final_composition file',
  ]);
  const { steps } = check('complex.json', 'fused');
  expect(steps.map(({ writes }) => writes)).toEqual(['fused', 'fused', 'file']);
  expect(steps[2]?.job?.files).toHaveLength(5);
  const name = 'model.diffusion_model.out.2.weight';
  expect(steps[2]?.job?.tensors.find((tensor) => tensor.name === name)).toMatchObject({
    dtype: 'F16',
    value: {
      kind: 'merged',
      weights: [0.65, 0.35],
      models: [
        { kind: 'merged', weights: [0.6, 0.4] },
        { kind: 'merged', weights: [0.7, 0.3] },
      ],
    },
  });
});

test('what a property decides is known in the plan, what a score decides stays open', () => {
  const { steps } = check('conditional.yaml', 'staged');
  const runs = Object.fromEntries(steps.map((step) => [step.flat.id, step.runs]));
  expect(runs).toMatchObject({ halve: 'no', as_it_is: 'yes', careful: 'open', keep: 'open', result: 'yes' });
});

test('what a score decides cannot be fused', () => {
  expect(check('iterative.yaml', 'fused').findings.map(({ code }) => code)).toContain('pipeline/mode');
});
