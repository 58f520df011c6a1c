import { defineGraphNode, type GraphNode } from '../../../../../nodes/kit/graph-node.ts';
import { gates } from '../gates.ts';

const common = { category: 'test', description: 'for tests of the server', outputs: [] } as const;

/** Shows a number. */
const show = defineGraphNode({
  ...common,
  id: 'ServerTestShow',
  title: 'Show',
  required: { value: { type: 'INT', options: { default: 0, min: 0, max: 0xffff_ffff_ffff_ffffn } } },
  terminal: true,
  run: ({ value }) => ({ ui: { shown: [String(value)] } }),
});

/** Runs until its gate is opened, or it is interrupted. */
const wait = defineGraphNode({
  ...common,
  id: 'ServerTestWait',
  title: 'Wait',
  required: { gate: { type: 'STRING', options: {} } },
  terminal: true,
  fingerprint: () => Number.NaN,
  async run({ gate }, { host }) {
    await gates.wait(String(gate), host.signal);
    return { ui: { passed: [String(gate)] } };
  },
});

/** Fails in a way that no promise of its run carries. */
const crash = defineGraphNode({
  ...common,
  id: 'ServerTestCrash',
  title: 'Crash',
  required: { how: { type: ['timer', 'rejection', 'throw'], options: {} } },
  terminal: true,
  async run({ how }) {
    if (how === 'throw') throw new RangeError('thrown by the node');
    if (how === 'rejection') void Promise.reject(new RangeError('rejected behind the node'));
    else
      setImmediate(() => {
        throw new RangeError('thrown behind the node');
      });
    await new Promise(() => undefined);
    return {};
  },
});

/** Shows a preview with each of its steps. */
const preview = defineGraphNode({
  ...common,
  id: 'ServerTestPreview',
  title: 'Preview',
  required: { steps: { type: 'INT', options: { default: 1, min: 1, max: 1000 } } },
  terminal: true,
  fingerprint: () => Number.NaN,
  async run({ steps }, { host }) {
    const data = new Float32Array(640 * 480 * 3).fill(0.5);
    for (let step = 1; step <= Number(steps); step++) {
      host.progress?.(step, Number(steps), { width: 640, height: 480, channels: 3, data });
      await new Promise((resolve) => setImmediate(resolve));
    }
    return { ui: { done: [true] } };
  },
});

/** Puts out what JSON cannot hold. */
const cyclic = defineGraphNode({
  ...common,
  id: 'ServerTestCyclic',
  title: 'Cyclic',
  required: {},
  terminal: true,
  run() {
    const list: unknown[] = [];
    list.push(list);
    return { ui: { list } };
  },
});

/** Puts out a text so often that no single text could hold it all. */
const endless = defineGraphNode({
  ...common,
  id: 'ServerTestEndless',
  title: 'Endless',
  required: {},
  terminal: true,
  run() {
    const text = 'x'.repeat(2 ** 24);
    return { ui: { text: Array.from({ length: 33 }, () => text) } };
  },
});

/** Tells what it was given by the host. */
const tell = defineGraphNode({
  ...common,
  id: 'ServerTestTell',
  title: 'Tell',
  required: { name: { type: 'STRING', options: {} } },
  terminal: true,
  fingerprint: () => Number.NaN,
  async run({ name }, { host }) {
    const bytes = await host.readInput?.(String(name));
    const written = await host.writeOutput({
      folder: 'temp',
      prefix: 'told',
      extension: 'txt',
      counter: true,
      bytes: new TextEncoder().encode('told'),
    });
    return {
      ui: { workflow: [host.extraPnginfo['workflow']], bytes: [bytes?.length ?? null], written: [written] },
    };
  },
});

const nodes: readonly GraphNode[] = [show, wait, crash, preview, cyclic, endless, tell];
export default nodes;
