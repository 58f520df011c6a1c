import { expect, test } from 'vitest';
import { adaptNode } from '../../../../bridge/embedded/nodes/adapt-node.ts';
import { defineNode } from '../../../../nodes/kit/define-node.ts';
import { choice, custom, images, integer, text, toggle } from '../../../../nodes/kit/fields.ts';
import type { RunContext } from '../../../../nodes/kit/graph-node.ts';
import type { Host } from '../../../../nodes/kit/host.ts';

const refuse = (): never => {
  throw new Error('a host is asked for nothing here');
};
const host: Host = {
  prompt: {},
  extraPnginfo: {},
  nodeId: '7',
  signal: new AbortController().signal,
  models: { find: refuse, hash: refuse },
  now: new Date(0),
  log: refuse,
  writeOutput: refuse,
};
const context: RunContext = {
  host,
  dynamicPrompt: { original: {}, node: refuse, displayId: refuse, parentId: refuse },
  compute: refuse,
};
const tooltip = '';

const spec = defineNode({
  id: 'LineageProbe',
  title: 'Probe',
  category: 'lineage/probe',
  description: 'All fields.',
  inputs: {
    images: images({ tooltip }),
    words: text({ default: 'x', tooltip, optional: true }),
    count: integer({ default: 1, min: 0, max: 10, tooltip, optional: true }),
    flag: toggle({ default: false, tooltip, optional: true }),
    menu: choice(['a', 'b'], { default: 'a', tooltip, optional: true }),
    pairs: custom('PAIRS', { optional: true, tooltip, parse: (value) => value }),
  },
  outputs: {
    second: { type: 'B', tooltip: 'two' },
    first: { type: 'A', tooltip: 'one' },
  },
  // What it was given comes out by its first slot, the host's id by the other.
  run: async (inputs, { nodeId }) => ({
    outputs: { first: nodeId, second: inputs },
    ui: { text: ['shown'] },
  }),
});
const node = adaptNode(spec);
const picture = { width: 2, height: 1, channels: 3, data: new Uint8Array(6) };
const run = (inputs: object) => Promise.resolve(node.run({ images: [picture], ...inputs }, context));

test('declares what its fields say', () => {
  expect(Object.keys(node.required)).toEqual(['images']);
  expect(Object.keys(node.optional ?? {})).toEqual(['words', 'count', 'flag', 'menu', 'pairs']);
  expect(node.outputs).toEqual([
    { name: 'second', type: 'B', tooltip: 'two' },
    { name: 'first', type: 'A', tooltip: 'one' },
  ]);
  expect(node).toMatchObject({ isAsync: true });
  expect(node).not.toHaveProperty('hidden');
});

test('a node that saves asks for what ComfyUI gives one, and its id keeps it apart from its equals', () => {
  expect(adaptNode({ ...spec, terminal: true })).toMatchObject({
    terminal: true,
    hidden: { prompt: 'PROMPT', extra_pnginfo: 'EXTRA_PNGINFO', unique_id: 'UNIQUE_ID' },
  });
});

test('outputs come by slot, in their declared order; pictures are handed on, not copied', async () => {
  const { outputs, ui } = await run({});
  expect(outputs?.[1]).toBe('7');
  expect(outputs?.[0]).toMatchObject({ images: [picture] });
  expect(Object.values(Object(outputs?.[0]).images)[0]).toBe(picture);
  expect(ui).toEqual({ text: ['shown'] });
});

test('what arrives is checked by the fields, and errors name node and input', async () => {
  expect((await run({ count: 3n, words: null })).outputs?.[0]).toEqual({ images: [picture], count: 3 });
  await expect(run({ count: 11 })).rejects.toMatchObject({
    code: 'nodes/wrong-input',
    where: { node: '7', input: 'count' },
    message: 'expected a whole number from 0 to 10, got 11',
  });
});
