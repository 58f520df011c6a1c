import { setTimeout as sleep } from 'node:timers/promises';
import { integerOf, numberOf, picturesOf, textOf, toggleOf } from '../../../nodes/builtin/read-inputs.ts';
import type { RunContext } from '../../../nodes/kit/graph-node.ts';
import { input, output, testNode } from './_declare.ts';
import { buildGraph } from './_graph-builder.ts';
import { combine, constant } from './_pictures.ts';

/** Nodes that take their time, run side by side, fail late, or expand into such. */

const ANY = input('*');
const IMAGE = input('IMAGE');
/** How often a node tells how far it is; a host shows no more than ten a second. */
const TICK_MS = 50;

function seconds(initial: number, min: number, max: number) {
  return input('FLOAT', { default: initial, min, max });
}

/** Waits, and tells how far it is; an interrupt ends it. */
async function waitWithProgress(duration: number, total: number, { host }: RunContext): Promise<void> {
  const end = performance.now() + duration * 1000;
  for (;;) {
    const left = Math.max(0, end - performance.now());
    const share = duration > 0 ? 1 - left / (duration * 1000) : 1;
    host.progress?.(share * total, total);
    if (left === 0) return;
    await sleep(Math.min(TICK_MS, left), undefined, { signal: host.signal });
  }
}

const testSleep = testNode({
  id: 'TestSleep',
  isAsync: true,
  required: { value: ANY, seconds: input('FLOAT', { default: 1.0, min: 0.0, max: 9999.0, step: 0.01 }) },
  hidden: { unique_id: 'UNIQUE_ID' },
  outputs: [output('*')],
  async run(inputs, context) {
    const duration = numberOf(inputs, 'seconds');
    await waitWithProgress(duration, duration, context);
    return { outputs: [inputs['value']] };
  },
});

const asyncProgress = testNode({
  id: 'TestAsyncProgressUpdate',
  isAsync: true,
  required: { value: ANY, sleep_seconds: input('FLOAT', { default: 1.0 }) },
  outputs: [output('*')],
  async run(inputs, context) {
    await waitWithProgress(numberOf(inputs, 'sleep_seconds'), 1, context);
    return { outputs: [inputs['value']] };
  },
});

// In Python this one blocks its thread; a node here never may, so it is not marked as async and waits all the same.
const syncProgress = testNode({ ...asyncProgress, id: 'TestSyncProgressUpdate', isAsync: false });

const parallelSleep = testNode({
  id: 'TestParallelSleep',
  required: {
    image1: IMAGE,
    image2: IMAGE,
    image3: IMAGE,
    sleep1: seconds(0.5, 0, 10),
    sleep2: seconds(0.5, 0, 10),
    sleep3: seconds(0.5, 0, 10),
  },
  hidden: { unique_id: 'UNIQUE_ID' },
  outputs: [output('IMAGE')],
  terminal: true,
  run(inputs, context) {
    const graph = buildGraph(context);
    const asleep = [1, 2, 3].map((number) =>
      graph.add('TestSleep', { value: inputs[`image${number}`], seconds: inputs[`sleep${number}`] }).out(0),
    );
    const [input1, input2, input3] = asleep;
    const mean = graph.add('TestVariadicAverage', { input1, input2, input3 });
    return { outputs: [mean.out(0)], expand: graph.finish() };
  },
});

const dynamicGeneration = testNode({
  id: 'TestDynamicAsyncGeneration',
  required: {
    image1: IMAGE,
    image2: IMAGE,
    num_async_nodes: input('INT', { default: 3, min: 1, max: 10 }),
    sleep_duration: seconds(0.2, 0.1, 1),
  },
  outputs: [output('IMAGE')],
  run(inputs, context) {
    const graph = buildGraph(context);
    const asleep = Array.from({ length: integerOf(inputs, 'num_async_nodes') }, (_, i) =>
      graph.add('TestSleep', {
        value: inputs[i % 2 === 0 ? 'image1' : 'image2'],
        seconds: inputs['sleep_duration'],
      }),
    );
    const links = Object.fromEntries(asleep.map((node, i) => [`input${i + 1}`, node.out(0)]));
    const last = asleep.length === 1 ? asleep[0] : graph.add('TestVariadicAverage', links);
    return { outputs: [last?.out(0)], expand: graph.finish() };
  },
});

const asyncError = testNode({
  id: 'TestAsyncError',
  isAsync: true,
  required: { value: ANY, error_after: seconds(0.1, 0, 10) },
  outputs: [output('*')],
  async run(inputs) {
    await sleep(numberOf(inputs, 'error_after') * 1000);
    throw new Error('failed on purpose, later');
  },
});

const syncError = testNode({
  id: 'TestSyncError',
  required: { value: ANY },
  outputs: [output('*')],
  run() {
    throw new Error('failed on purpose, at once');
  },
});

const asyncTimeout = testNode({
  id: 'TestAsyncTimeout',
  isAsync: true,
  required: { value: ANY, timeout: seconds(1, 0.1, 10), operation_time: seconds(2, 0.1, 10) },
  outputs: [output('*')],
  async run(inputs) {
    const [limit, duration] = [numberOf(inputs, 'timeout'), numberOf(inputs, 'operation_time')];
    await sleep(Math.min(limit, duration) * 1000);
    if (duration > limit) throw new Error(`took longer than its timeout of ${limit} seconds`);
    return { outputs: [inputs['value']] };
  },
});

const asyncLazyCheck = testNode({
  id: 'TestAsyncLazyCheck',
  required: {
    input1: input('*', { lazy: true }),
    input2: input('*', { lazy: true }),
    condition: input('BOOLEAN', { default: true }),
  },
  outputs: [output('IMAGE')],
  async checkLazy(inputs) {
    await sleep(50);
    const wanted = toggleOf(inputs, 'condition') ? 'input1' : 'input2';
    return inputs[wanted] === undefined ? [wanted] : [];
  },
  run: () => ({ outputs: [constant(1, 512, 512)] }),
});

const resourcesInUse = new Set<string>();
const resourceUser = testNode({
  id: 'TestAsyncResourceUser',
  isAsync: true,
  required: {
    value: ANY,
    resource_id: input('STRING', { default: 'resource_0' }),
    duration: seconds(0.1, 0, 1),
  },
  outputs: [output('*')],
  async run(inputs) {
    const resource = textOf(inputs, 'resource_id');
    if (resourcesInUse.has(resource)) throw new Error(`resource ${resource} is in use`);
    resourcesInUse.add(resource);
    try {
      await sleep(numberOf(inputs, 'duration') * 1000);
      return { outputs: [inputs['value']] };
    } finally {
      resourcesInUse.delete(resource);
    }
  },
});

const batchProcessing = testNode({
  id: 'TestAsyncBatchProcessing',
  isAsync: true,
  required: { images: IMAGE, process_time_per_item: seconds(0.1, 0.01, 1) },
  hidden: { unique_id: 'UNIQUE_ID' },
  outputs: [output('IMAGE')],
  async run(inputs, { host }) {
    const images = picturesOf(inputs, 'images');
    const inverted = [];
    for (const image of images) {
      await sleep(numberOf(inputs, 'process_time_per_item') * 1000, undefined, { signal: host.signal });
      inverted.push(...combine([[image]], ([sample = 0]) => 1 - sample));
      host.progress?.(inverted.length, images.length);
    }
    return { outputs: [inverted] };
  },
});

/** At most so many of TestAsyncConcurrentLimit run side by side. */
const CONCURRENT_MAX = 2;
let running = 0;
const waiting: (() => void)[] = [];
const concurrentLimit = testNode({
  id: 'TestAsyncConcurrentLimit',
  isAsync: true,
  required: { value: ANY, duration: seconds(0.5, 0.1, 2), node_id: input('INT', { default: 0 }) },
  outputs: [output('*')],
  async run(inputs) {
    while (running >= CONCURRENT_MAX) await new Promise<void>((resolve) => waiting.push(resolve));
    running++;
    try {
      await sleep(numberOf(inputs, 'duration') * 1000);
      return { outputs: [inputs['value']] };
    } finally {
      running--;
      waiting.shift()?.();
    }
  },
});

/** Nodes of this file. */
export default [
  testSleep,
  asyncProgress,
  syncProgress,
  parallelSleep,
  dynamicGeneration,
  asyncError,
  syncError,
  asyncTimeout,
  asyncLazyCheck,
  resourceUser,
  batchProcessing,
  concurrentLimit,
];
