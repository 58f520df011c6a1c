import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { manifestToWorkflow } from '../../../nodes/merge/graph/manifest-to-workflow.ts';
import { listRuns, nodesToManifest, nodesToRun } from '../../../nodes/merge/graph/nodes-to-manifest.ts';
import { isWorkflow, workflowToPrompt } from '../../../nodes/merge/graph/workflow-to-prompt.ts';
import { readManifest } from '../../../nodes/pipeline/read-manifest.ts';

const folder = new URL('../../../fixtures/examples/merge/', import.meta.url);
const examples = readdirSync(folder).filter((name) => /\.(json|yaml)$/.test(name));

function promptOf(workflow: unknown) {
  if (!isWorkflow(workflow)) throw new Error('no workflow');
  return workflowToPrompt(workflow);
}

function manifestOf(workflow: unknown): unknown {
  const prompt = promptOf(workflow);
  const [run, ...others] = listRuns(prompt);
  expect(others).toEqual([]);
  return nodesToManifest(prompt, run ?? '');
}

describe('a manifest as a workflow, and back', () => {
  test.each(examples)('%s', (name) => {
    const manifest: unknown = parse(readFileSync(new URL(name, folder), 'utf8'));
    const saved: unknown = JSON.parse(JSON.stringify(manifestToWorkflow(manifest)));
    const back = manifestOf(saved);
    expect(readManifest(back)).toEqual(readManifest(manifest));
    // And what came back opens as the same workflow.
    expect(JSON.parse(JSON.stringify(manifestToWorkflow(back)))).toEqual(saved);
  });
});

// Wired by hand, as ComfyUI's canvas saves nodes: links by number, values of widgets in their order.
const source = (id: number, link: number, name: string, more: object = {}) => ({
  ...{ id, type: 'LineageMergeSource', mode: 0, inputs: [], widgets_values: [name] },
  outputs: [{ name: 'merge', type: 'LINEAGE_MERGE', links: [link] }],
  ...more,
});
const run = (link: number | null, more: object = {}) => ({
  ...{ id: 9, type: 'LineageRunPipeline', mode: 0, widgets_values: ['made', 'fp16', ''] },
  inputs: [{ name: 'merge', type: 'LINEAGE_MERGE', link }],
  ...more,
});
const copy = { pipeline: { steps: [{ id: 'copy', type: 'convert', model: { path: 'a.safetensors' } }] } };

describe('a workflow that somebody wired', () => {
  test('links as lists, and as objects', () => {
    const nodes = [source(1, 5, 'a.safetensors'), run(5)];
    const asLists = { nodes, links: [[5, 1, 0, 9, 0, 'LINEAGE_MERGE']] };
    expect(manifestOf(asLists)).toEqual(copy);
    const link = { id: 5, origin_id: 1, origin_slot: 0, target_id: 9, target_slot: 0, type: 'LINEAGE_MERGE' };
    expect(manifestOf({ nodes, links: [link] })).toEqual(copy);
  });

  test('what the node says of its file', () => {
    const workflow = { nodes: [source(1, 5, 'a.safetensors'), run(5)], links: [[5, 1, 0, 9, 0, '*']] };
    expect(nodesToRun(promptOf(workflow), '9')).toEqual({
      ...{ manifest: copy, result: 'copy', outputName: 'made', precision: 'fp16' },
    });
  });

  test('reroutes are followed; nodes of other packs are passed over', () => {
    const reroute = (id: number, link: number) => ({ id, type: 'Reroute', inputs: [{ name: '', link }] });
    const note = { id: 20, type: 'Note', mode: 0, widgets_values: ['hello', 1, 2, 3] };
    const nodes = [source(1, 5, 'a.safetensors'), reroute(2, 5), reroute(3, 6), run(7), note];
    const links = [
      [5, 1, 0, 2, 0, '*'],
      [6, 2, 0, 3, 0, '*'],
      [7, 3, 0, 9, 0, '*'],
    ];
    expect(manifestOf({ nodes, links })).toEqual(copy);
  });

  test('a widget that was made a socket takes what comes over it, and that must be a merge node', () => {
    const inputs = [{ name: 'model_name', type: 'COMBO', link: 6, widget: { name: 'model_name' } }];
    const primitive = { id: 4, type: 'PrimitiveNode', mode: 0, widgets_values: ['b.safetensors'] };
    const nodes = [source(1, 5, 'a.safetensors', { inputs }), primitive, run(5)];
    const links = [
      [5, 1, 0, 9, 0, '*'],
      [6, 4, 0, 1, 0, 'COMBO'],
    ];
    expect(() => manifestOf({ nodes, links })).toThrow('expected a merge node, got PrimitiveNode');
  });

  test.each([
    [
      'a muted node',
      source(1, 5, 'a', { mode: 2 }),
      '1',
      'a node that runs, got one that is muted or bypassed',
    ],
    ['a bypassed node', source(1, 5, 'a', { mode: 4 }), '1', 'a node that runs, got one that is muted'],
    [
      'widgets of another version',
      source(1, 5, 'a', { widgets_values: [1, 2, 3, 4, 5, 6] }),
      '1',
      'the widgets of',
    ],
    ['no node', { id: 3 }, '9', 'a link that comes from a node, got one that comes from nowhere'],
    [
      'a circle of reroutes',
      { id: 1, type: 'Reroute', inputs: [{ name: '', link: 5 }] },
      '9',
      'reroutes in a circle',
    ],
    ['a subgraph', { id: 1, type: 'a-b-c', mode: 0 }, '1', 'a merge node, got the subgraph "Mine"'],
    ['a checkpoint loader', { id: 1, type: 'CheckpointLoaderSimple' }, '1', 'got CheckpointLoaderSimple'],
  ])('%s is refused', (_, node, at, says) => {
    const workflow = {
      ...{ nodes: [node, run(5)], links: [[5, 1, 0, 9, 0, '*']] },
      definitions: { subgraphs: [{ id: 'a-b-c', name: 'Mine' }] },
    };
    expect(() => manifestOf(workflow)).toThrow(
      expect.objectContaining({
        code: 'merge/graph',
        message: expect.stringContaining(says),
        where: { node: at },
      }),
    );
  });

  test('a Run Merge node that does not run is none', () => {
    expect(listRuns(promptOf({ nodes: [run(null, { mode: 4 })], links: [] }))).toEqual([]);
    expect(() => nodesToRun({ '1': { class_type: 'Note', inputs: {} } }, '1')).toThrow(
      'expected a Run Merge node, got Note',
    );
    expect(() => nodesToRun({}, 'constructor')).toThrow('expected a Run Merge node, got none');
  });

  test.each([[{}], [[]], [null], ['nodes'], [{ nodes: {} }]])('%j is no workflow', (document) => {
    expect(isWorkflow(document)).toBe(false);
  });

  test('parts of no form are passed over', () => {
    const nodes = [null, 7, {}, { id: 1 }, { type: 'x' }, { id: {}, type: 'x' }];
    expect(workflowToPrompt({ nodes, links: [null, 7, [], {}], definitions: 3 })).toEqual({});
  });
});
