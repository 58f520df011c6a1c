import { renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openModels } from '../../../bridge/local/open-models.ts';
import { createPipelineRunner } from '../../../bridge/pipeline/pipeline-runner.ts';
import { documentSchema } from '../../../nodes/metadata/record.ts';
import { writeTinyCheckpoint } from '../../merge/graph/tiny-checkpoint.ts';
import { chain, kSampler, node } from '../../metadata/graphs.ts';
import { putImage, putJson } from './pictures.ts';
import { documentOf, lineage, newFolder } from './run.ts';

/** Merges two checkpoints of `models` into a third there. */
async function merge(models: string, name: string, parents: readonly string[]): Promise<void> {
  const refuse = (error: Error): never => {
    throw error;
  };
  const access = openModels({ folders: [models], ledgerFile: undefined, warn: refuse });
  const runner = createPipelineRunner({
    models: access.models,
    output: models,
    ledgerFile: undefined,
    warn: refuse,
  });
  try {
    const manifest = { models: parents.map((path) => ({ path, weight: 0.5 })), output: 'x.safetensors' };
    const { signal } = new AbortController();
    const made = await runner.run({ manifest, outputName: name, signal });
    expect(made.name).toBe(`${name}.safetensors`);
  } finally {
    await runner.close();
    await access.close();
  }
}

test('a picture of a merged checkpoint: its parents, and theirs, also after the file was renamed', async () => {
  const folder = newFolder();
  const models = join(folder, 'models');
  const checkpoint = (name: string): string => join(models, 'checkpoints', `${name}.safetensors`);
  for (const [index, name] of ['adam', 'eve', 'lilith'].entries())
    writeTinyCheckpoint(checkpoint(name), { w: [index, 1 - index] });
  await merge(models, 'seth', ['adam.safetensors', 'eve.safetensors']);
  await merge(models, 'enos', ['seth.safetensors', 'lilith.safetensors']);

  await putImage(folder, 'blank.png', 'png');
  const graph = { ...chain(kSampler('k', 9)), ckpt: node('LineageRunPipeline', { output_name: 'enos' }) };
  putJson(folder, 'graph.json', graph);
  const tagged = await lineage(folder, [
    ...['tag', 'blank.png', '--prompt', 'graph.json', '--models', 'models', '--out', 'portrait.png'],
  ]);
  expect(tagged.status, tagged.stderr).toBe(0);

  const explained = async (): Promise<string> => {
    const { status, stdout, stderr } = await lineage(folder, [
      'explain',
      'portrait.png',
      '--models',
      'models',
    ]);
    expect(status, stderr).toBe(0);
    return stdout.slice(stdout.indexOf('Merged from'));
  };
  const told = await explained();
  expect(told).toMatch(/^Merged from\n {2}enos\.safetensors .*merge/);
  const order = ['enos', 'seth', 'adam', 'eve', 'lilith'].map((name) => told.indexOf(`${name}.safetensors`));
  expect(order.every((at) => at > 0)).toBe(true);
  expect(order).toEqual(order.toSorted((a, b) => a - b));

  const asJson = await lineage(folder, ['explain', 'portrait.png', '--models', 'models', '--json']);
  const { families } = documentSchema.parse(documentOf(asJson));
  const merged = (name: string, ...inputs: object[]) =>
    expect.objectContaining({
      kind: 'operation',
      file: expect.objectContaining({ name: `${name}.safetensors` }),
      inputs: inputs.map((of) => ({ weight: 0.5, of })),
    });
  const leaf = (name: string) => expect.objectContaining({ kind: 'file', name: `${name}.safetensors` });
  expect(families).toEqual([merged('enos', merged('seth', leaf('adam'), leaf('eve')), leaf('lilith'))]);
  const without = await lineage(folder, ['explain', 'portrait.png', '--json']);
  expect(documentOf(without)['families']).toEqual([]);

  renameSync(checkpoint('enos'), checkpoint('renamed'));
  expect(await explained()).toMatch(/^Merged from\n {2}renamed\.safetensors /);
  // Another file under that name is not the one of the picture.
  renameSync(checkpoint('renamed'), join(folder, 'away.safetensors'));
  writeTinyCheckpoint(checkpoint('enos'), { w: [9, 9] });
  expect(await explained()).not.toContain('Merged from');
});

test("mergekit's configuration beside a model: one that cannot be read is not one that is missing", async () => {
  const folder = newFolder();
  writeTinyCheckpoint(join(folder, 'model.safetensors'), { w: [1] });
  const config = join(folder, 'mergekit_config.yml');
  const explain = () => lineage(folder, ['explain', 'model.safetensors']);
  expect((await explain()).stderr).toContain('explain/no-recipe');
  symlinkSync('mergekit_config.yml', config);
  const { status, stderr } = await explain();
  expect([status, stderr]).toEqual([expect.any(Number), expect.stringContaining('file/unreadable')]);
  rmSync(config);
  writeFileSync(config, 'merge_method: linear\nmodels:\n  - model: one\n  - model: two\n');
  expect((await explain()).stdout).toContain('two');
});
