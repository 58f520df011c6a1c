import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exampleGraph, putImage, putJson } from './pictures.ts';
import { documentOf, expectFailure, lineage, newFolder, tag } from './run.ts';

async function twoPictures(change: (graph: ReturnType<typeof exampleGraph>) => void): Promise<string> {
  const folder = newFolder();
  await putImage(folder, 'plain.png', 'png');
  const graph = exampleGraph();
  await tag(folder, 'plain.png', '--prompt', putJson(folder, 'a.json', graph), '--out', 'a.png');
  change(graph);
  await tag(folder, 'plain.png', '--prompt', putJson(folder, 'b.json', graph), '--out', 'b.png');
  return folder;
}

test('pictures of two seeds differ in one line; a picture does not differ from itself', async () => {
  const folder = await twoPictures((graph) => {
    graph['10']!.inputs['noise_seed'] = 42;
  });
  const differ = await lineage(folder, ['diff', 'a.png', 'b.png']);
  expect([differ.status, differ.stdout]).toEqual([
    4,
    'Seed: 721897303308196 -> 42 (10 KSamplerAdvanced.noise_seed)\n',
  ]);
  const same = await lineage(folder, ['diff', 'a.png', 'a.png']);
  expect([same.status, same.stdout]).toEqual([0, 'the same generation data\n']);
});

test('a picture, its graph and its workflow can be compared; --json has it all', async () => {
  const folder = await twoPictures((graph) => {
    graph['6']!.inputs['text'] = `${graph['6']!.inputs['text']}, fog`;
  });
  const same = await lineage(folder, ['diff', 'a.png', 'a.json']);
  expect([same.status, same.stderr]).toEqual([0, '']);
  const { prompts, graph } = documentOf(await lineage(folder, ['diff', 'a.png', 'b.png', '--json'])) as {
    prompts: object[];
    graph: { inputs: object[] };
  };
  expect(prompts).toMatchObject([
    { side: 'positive', removed: [], added: ['fog'], at: ['6 CLIPTextEncode.text'] },
  ]);
  expect(graph.inputs).toHaveLength(1);

  const nodes = [
    { id: 7, type: 'VAELoader', mode: 0, inputs: [], outputs: [], widgets_values: ['x.safetensors'] },
  ];
  putJson(folder, 'workflow.json', { nodes, links: [], version: 0.4 });
  putJson(folder, 'prompt.json', { 1: { class_type: 'VAELoader', inputs: { vae_name: 'y.safetensors' } } });
  const mixed = await lineage(folder, ['diff', 'workflow.json', 'prompt.json']);
  expect([mixed.status, mixed.stdout]).toEqual([4, '7 VAELoader.vae_name: x.safetensors -> y.safetensors\n']);
});

test('what is neither picture nor graph is refused', async () => {
  const folder = newFolder();
  writeFileSync(join(folder, 'a.txt'), 'text');
  await expectFailure(folder, ['diff', 'a.txt', 'a.txt'], { status: 1, code: 'graph/malformed' });
});
