import { setTimeout as sleep } from 'node:timers/promises';
import { type AnyNode, defineNode } from '../../../nodes/kit/define-node.ts';
import { LineageError } from '../../../nodes/kit/errors.ts';
import {
  choice,
  custom,
  dynamicChoice,
  images,
  integer,
  number,
  text,
  toggle,
} from '../../../nodes/kit/fields.ts';

/** Nodes that only tests and benches run, one for each thing that the bridge must carry. */

const common = { category: 'lineage/test', description: 'For tests.' } as const;
const anything = (value: unknown): unknown => value;

const empty = defineNode({
  ...common,
  id: 'LineageTestEmpty',
  title: 'Empty',
  inputs: {
    text: text({ default: '', tooltip: '' }),
    after: custom('*', { optional: true, tooltip: '', parse: anything }),
  },
  outputs: { text: { type: 'STRING', tooltip: '' } },
  run: async ({ text }) => ({ outputs: { text } }),
});

const invert = defineNode({
  ...common,
  id: 'LineageTestInvert',
  title: 'Invert',
  inputs: { images: images({ tooltip: '' }) },
  outputs: { images: { type: 'IMAGE', tooltip: '' }, same: { type: 'IMAGE', tooltip: '' } },
  run: async ({ images }) => ({
    outputs: {
      images: images.map((each) => ({ ...each, data: Float32Array.from(each.data, (value) => 1 - value) })),
      same: images,
    },
  }),
});

/** New memory without arithmetic: what is measured is the way in and out. */
const copy = defineNode({
  ...common,
  id: 'LineageTestCopy',
  title: 'Copy',
  inputs: { images: images({ tooltip: '' }) },
  outputs: { images: { type: 'IMAGE', tooltip: '' } },
  run: async ({ images }) => ({ outputs: { images: images.map((each) => ({ ...each })) } }),
});

/** Gives back what it was told. */
const choose = defineNode({
  ...common,
  id: 'LineageTestChoose',
  title: 'Choose',
  inputs: {
    way: dynamicChoice(
      {
        plain: {},
        mixed: {
          share: number({ default: 0.5, min: 0, max: 1, step: 0.01, optional: true, tooltip: 'How much.' }),
          rounds: integer({ default: 3, min: 1, max: 9, tooltip: 'How often.' }),
          loud: toggle({ default: true, optional: true, tooltip: 'How loud.' }),
          order: choice(['up', 'down'], { default: 'up', optional: true, tooltip: 'Which way.' }),
        },
      },
      { tooltip: 'How.' },
    ),
  },
  outputs: { told: { type: 'STRING', tooltip: '' } },
  run: async ({ way }) => ({ outputs: { told: JSON.stringify(way) } }),
});

const carry = defineNode({
  ...common,
  id: 'LineageTestCarry',
  title: 'Carry',
  inputs: {
    latent: custom('LATENT', { optional: true, tooltip: '', parse: anything }),
    mask: custom('MASK', { optional: true, tooltip: '', parse: anything }),
    any: custom('*', { optional: true, tooltip: '', parse: anything }),
    float: custom('FLOAT', { optional: true, tooltip: '', parse: anything }),
    int: custom('INT', { optional: true, tooltip: '', parse: anything }),
    extra: custom('LINEAGE_EXTRA_METADATA', { optional: true, tooltip: '', parse: anything }),
  },
  outputs: {
    latent: { type: 'LATENT', tooltip: '' },
    mask: { type: 'MASK', tooltip: '' },
    any: { type: '*', tooltip: '' },
    float: { type: 'FLOAT', tooltip: '' },
    int: { type: 'INT', tooltip: '' },
    extra: { type: 'LINEAGE_EXTRA_METADATA', tooltip: '' },
  },
  run: async (inputs) => ({ outputs: { ...inputs, mask: inputs.mask ?? [BLACK] } }),
});
const BLACK = { width: 1, height: 1, channels: 1, data: new Float32Array(1) } as const;

/** Waits, shows how far it is and a red picture, and stops when asked. */
const slow = defineNode({
  ...common,
  id: 'LineageTestSlow',
  title: 'Slow',
  terminal: true,
  inputs: {
    milliseconds: integer({ default: 1000, min: 0, max: 600_000, tooltip: '' }),
    after: custom('*', { optional: true, tooltip: '', parse: anything }),
  },
  outputs: { milliseconds: { type: 'INT', tooltip: '' } },
  async run({ milliseconds }, host) {
    const data = new Uint8Array(64 * 64 * 3).map((_, index) => (index % 3 === 0 ? 255 : 0));
    const end = performance.now() + milliseconds;
    for (let step = 1; performance.now() < end; step++) {
      host.progress?.(step, Math.ceil(milliseconds / 20), { width: 64, height: 64, channels: 3, data });
      await sleep(20, undefined, { signal: host.signal });
    }
    host.log('info', `waited ${milliseconds} ms`);
    return { outputs: { milliseconds }, ui: { text: [String(milliseconds)] } };
  },
});

const fail = defineNode({
  ...common,
  id: 'LineageTestFail',
  title: 'Fail',
  terminal: true,
  inputs: { how: text({ default: 'expected', tooltip: '' }) },
  outputs: {},
  async run({ how }, host) {
    if (how === 'crash') process.kill(process.pid, 'SIGKILL');
    if (how === 'bug') throw new TypeError('a mistake of ours\u001b[2J');
    throw new LineageError('image/shape', 'expected a square, got a circle', { node: host.nodeId });
  },
});

/** What a node sees of its host, as text. */
const look = defineNode({
  ...common,
  id: 'LineageTestLook',
  title: 'Look',
  terminal: true,
  inputs: { after: custom('*', { optional: true, tooltip: '', parse: anything }) },
  outputs: { text: { type: 'STRING', tooltip: '' } },
  async run(_inputs, host) {
    const ids = Object.keys(Object(host.prompt));
    const executed = ids.flatMap((id) => [0, 1, 2, 3].map((slot) => [id, slot, host.executed?.(id, slot)]));
    const seen = {
      nodeId: host.nodeId,
      prompt: host.prompt,
      extraPnginfo: host.extraPnginfo,
      disableMetadata: host.disableMetadata,
      executed: executed.filter(([, , value]) => value !== undefined),
      model: await host.models.find('tiny.safetensors', ['checkpoints']),
      environment: Object.keys(process.env).sort(),
      polluted: Object.hasOwn(Object.prototype, 'polluted'),
    };
    const json = JSON.stringify(seen);
    return { outputs: { text: json }, ui: { text: [json] } };
  },
});

/** Hashes a model, and says when it begins. */
const hash = defineNode({
  ...common,
  id: 'LineageTestHash',
  title: 'Hash',
  terminal: true,
  inputs: {},
  outputs: { sha256: { type: 'STRING', tooltip: '' } },
  async run(_inputs, host) {
    const model = await host.models.find('tiny.safetensors', ['checkpoints']);
    host.progress?.(0, 1);
    const { sha256 } = model.found ? await host.models.hash(model.file) : { sha256: 'not found' };
    return { outputs: { sha256 }, ui: { text: [sha256] } };
  },
});

export const testNodes: readonly AnyNode[] = [empty, invert, copy, carry, choose, slow, fail, look, hash];
