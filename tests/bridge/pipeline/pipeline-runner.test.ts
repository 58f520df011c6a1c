import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openModels } from '../../../bridge/local/open-models.ts';
import { createPipelineRunner } from '../../../bridge/pipeline/pipeline-runner.ts';
import { readTinyCheckpoint, writeTinyCheckpoint } from '../../merge/graph/tiny-checkpoint.ts';

/** Two tensors each, so far apart that every drift of the examples is large. */
const MODELS = {
  realistic_base_v1: { w: [1, 2], v: [0.5] },
  photorealism_v2: { w: [3, -2], v: [1.5] },
  anime_style_v1: { w: [-4, 8], v: [2] },
  manga_style_v2: { w: [0, 1], v: [-1] },
};

function machine() {
  const folder = mkdtempSync(join(tmpdir(), 'lineage-runner-'));
  const refuse = (error: Error): never => {
    throw error;
  };
  for (const [name, tensors] of Object.entries(MODELS))
    writeTinyCheckpoint(join(folder, 'models', 'checkpoints', `${name}.safetensors`), tensors);
  const { models, close } = openModels({
    folders: [join(folder, 'models')],
    ledgerFile: undefined,
    warn: refuse,
  });
  const output = join(folder, 'output');
  const runner = createPipelineRunner({ models, output, ledgerFile: undefined, warn: refuse });
  onTestFinished(async () => {
    await runner.close();
    await close();
    rmSync(folder, { recursive: true });
  });
  return { runner, checkpoints: join(output, 'checkpoints') };
}

const { signal } = new AbortController();
const example = (name: string): string =>
  readFileSync(new URL(`../../../fixtures/examples/merge/${name}`, import.meta.url), 'utf8');

// What a condition or a score decides is not known before the run, and still the second run finds the first one's file.
test.each([
  ['single.json', 'four_in_one'],
  ['tournament.yaml', 'tournament'],
  ['conditional.yaml', 'conditional'],
  ['iterative.yaml', 'iterative'],
])('%s runs as text, twice, into one file', async (name, stem) => {
  const { runner, checkpoints } = machine();
  const first = await runner.run({ manifest: example(name), signal });
  const bytes = readFileSync(first.file);
  expect(first.name).toBe(`${stem}.safetensors`);
  const second = await runner.run({ manifest: example(name), signal });
  expect(second).toMatchObject({ name: first.name, file: first.file });
  expect(readdirSync(checkpoints)).toEqual([first.name]);
  expect(readFileSync(first.file)).toEqual(bytes);
});

test('the precision that is asked for wins; the sum of four is their mean', async () => {
  const { runner } = machine();
  const { file } = await runner.run({ manifest: example('single.json'), precision: 'fp32', signal });
  expect(readTinyCheckpoint(readFileSync(file)).tensors).toEqual({ w: [0, 2.25], v: [0.75] });
});

test('stopped, it leaves no checkpoint, and the next run makes it', async () => {
  const { runner, checkpoints } = machine();
  const controller = new AbortController();
  const stopped = runner.run({
    ...{ manifest: example('tournament.yaml'), signal: controller.signal },
    progress: () => controller.abort(new Error('enough')),
  });
  await expect(stopped).rejects.toThrow('enough');
  expect(readdirSync(checkpoints).filter((name) => name.endsWith('.safetensors'))).toEqual([]);
  const { name } = await runner.run({ manifest: example('tournament.yaml'), signal });
  expect(readdirSync(checkpoints)).toEqual([name]);
});

test('two at once go one after the other, under names of their own', async () => {
  const { runner, checkpoints } = machine();
  const manifests = [example('single.json'), example('tournament.yaml')];
  const made = await Promise.all(
    manifests.map((manifest) => runner.run({ manifest, outputName: 'x', signal })),
  );
  expect(made.map(({ name }) => name)).toEqual(['x.safetensors', 'x_00002.safetensors']);
  expect(readdirSync(checkpoints)).toEqual(['x.safetensors', 'x_00002.safetensors']);
});
