import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readManifest } from '../../../nodes/pipeline/read-manifest.ts';
import { putImage, putJson } from './pictures.ts';
import { documentOf, expectFailure, lineage, listOf, newFolder } from './run.ts';

const EXAMPLES = fileURLToPath(new URL('../../../fixtures/examples/merge/', import.meta.url));
const examples = readdirSync(EXAMPLES).filter((name) => /\.(json|yaml)$/.test(name));
const read = (path: string): unknown => parse(readFileSync(path, 'utf8'));

describe('a manifest as a workflow, and back', () => {
  test.each(examples)('%s', async (name) => {
    const folder = newFolder();
    const opened = await lineage(folder, ['plan', 'workflow', join(EXAMPLES, name), '--out', 'graph.json']);
    expect(opened.stdout, opened.stderr).toBe('wrote graph.json\n');
    const saved = await lineage(folder, ['plan', 'manifest', 'graph.json', '--out', 'again.json', '--json']);
    expect(saved.stdout, saved.stderr).toBe('{"out":"again.json"}\n');
    expect(readManifest(read(join(folder, 'again.json')))).toEqual(readManifest(read(join(EXAMPLES, name))));
  });
});

const EXAMPLE = join(EXAMPLES, 'complex.json');

test('as a prompt graph, to the standard output; from a recording and from a picture that was made by it', async () => {
  const folder = newFolder();
  const api = await lineage(folder, ['plan', 'workflow', EXAMPLE, '--api']);
  const prompt = documentOf(api);
  expect(Object.values(prompt).map((node) => (node as { class_type: string }).class_type)).toContain(
    'LineageRunPipeline',
  );
  putJson(folder, 'recorded.json', { prompt, workflow: { nodes: [], links: [] } });
  await putImage(folder, 'blank.png', 'png');
  const recorded = await lineage(folder, ['plan', 'manifest', 'recorded.json']);
  expect(readManifest(documentOf(recorded))).toEqual(readManifest(read(EXAMPLE)));
  await expectFailure(folder, ['plan', 'manifest', 'blank.png'], {
    ...{ status: 1, code: 'graph/malformed', says: /a picture that embeds its graph/ },
  });
});

test('what Run Merge says of its file goes into the manifest; a manifest that was typed there comes out', async () => {
  const folder = newFolder();
  const sourceOf = (name: string) => ({ class_type: 'LineageMergeSource', inputs: { model_name: name } });
  putJson(folder, 'graph.json', {
    1: sourceOf('a.safetensors'),
    2: {
      class_type: 'LineageRunPipeline',
      inputs: { output_name: 'mine', precision: 'bf16', merge: ['1', 0] },
    },
    3: {
      class_type: 'LineageRunPipeline',
      inputs: { output_name: '', precision: 'as written', manifest: 'models: [{path: b}]\noutput: c\n' },
    },
  });
  const one = await lineage(folder, ['plan', 'manifest', 'graph.json', '--node', '2']);
  expect(documentOf(one)).toEqual({
    pipeline: {
      steps: [
        {
          ...{ id: 'copy', type: 'convert', model: { path: 'a.safetensors' } },
          output: { path: 'mine.safetensors', precision: 'bf16' },
        },
      ],
    },
  });
  const typed = await lineage(folder, ['plan', 'manifest', 'graph.json', '--node', '3']);
  expect(documentOf(typed)).toEqual({ models: [{ path: 'b' }], output: 'c' });
  await expectFailure(folder, ['plan', 'manifest', 'graph.json'], {
    ...{ status: 1, code: 'merge/graph', says: /the nodes 2, 3: name one of them with --node/ },
  });
  await expectFailure(folder, ['plan', 'manifest', 'graph.json', '--node', '1'], {
    ...{ status: 1, code: 'merge/graph', says: /expected a Run Merge node, got LineageMergeSource/ },
  });
});

describe('what is wrong is said, and leaves nothing', () => {
  test.each([
    ['no JSON', 'nodes: [', 'graph/malformed', /expected JSON/],
    ['no graph', '[1, 2]', 'graph/malformed', /a workflow or a prompt graph/],
    [
      'no Run Merge',
      '{"1": {"class_type": "KSampler", "inputs": {}}}',
      'merge/graph',
      /one Run Merge node, got none/,
    ],
    [
      'a workflow without merges',
      '{"nodes": [], "links": []}',
      'merge/graph',
      /one Run Merge node, got none/,
    ],
    [
      'a manifest that is none',
      '{"1": {"class_type": "LineageRunPipeline", "inputs": {"output_name": "", "precision": "as written", "manifest": "{\\"pipeline\\": {}}"}}}',
      'pipeline/malformed',
      /pipeline\.steps: expected a list/,
    ],
  ])('%s', async (_, text, code, says) => {
    const folder = newFolder();
    writeFileSync(join(folder, 'graph.json'), text);
    const args = ['plan', 'manifest', 'graph.json', '--out', 'out.json'];
    await expectFailure(folder, args, { status: 1, code, says });
  });

  test('a manifest that is none, a missing one, and a file that is there', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'bad.yaml'), 'pipeline: {steps: []}\n');
    await expectFailure(folder, ['plan', 'workflow', 'bad.yaml', '--out', 'x.json'], {
      ...{ status: 1, code: 'pipeline/malformed', says: /at least 1 entry/ },
    });
    await expectFailure(folder, ['plan', 'workflow', 'none.yaml'], { status: 1, code: 'file/missing' });
    const taken = ['plan', 'workflow', EXAMPLE, '--out', 'bad.yaml'];
    await expectFailure(folder, taken, { status: 1, code: 'output/exists' });
    expect((await lineage(folder, [...taken, '--force'])).status).toBe(0);
    expect(JSON.parse(readFileSync(join(folder, 'bad.yaml'), 'utf8'))).toHaveProperty('nodes');
    expect(listOf(folder)).toEqual(['bad.yaml']);
  });
});
