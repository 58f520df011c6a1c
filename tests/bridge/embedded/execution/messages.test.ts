import { expect, test } from 'vitest';
import { at, createBench, inputs, nodeClass, Show, Sum, Value } from './harness.ts';

const graph = { a: at('Value', { value: 3 }), out: at('Show', { value: ['a', 0] }) };
const TIME = 1_700_000_000_000;

// Order and fields: reference part 2.4, measured on ComfyUI 618b803d.
test('messages of one output, in order', async () => {
  const bench = createBench([Value, Show]);
  const outcome = await bench.run(graph, { promptId: 'p' });
  const state = (node: string, now: string, value: number) => ({
    value,
    max: 1,
    state: now,
    node_id: node,
    prompt_id: 'p',
    display_node_id: node,
    parent_node_id: null,
    real_node_id: node,
  });
  expect(bench.heard.map(({ event, data }) => [event, data])).toEqual([
    ['execution_start', { prompt_id: 'p', timestamp: TIME }],
    ['execution_cached', { nodes: [], prompt_id: 'p', timestamp: TIME }],
    ['progress_state', { prompt_id: 'p', nodes: { a: state('a', 'running', 0) } }],
    ['executing', { node: 'a', display_node: 'a', prompt_id: 'p' }],
    ['progress_state', { prompt_id: 'p', nodes: { a: state('a', 'finished', 1) } }],
    [
      'progress_state',
      { prompt_id: 'p', nodes: { a: state('a', 'finished', 1), out: state('out', 'running', 0) } },
    ],
    ['executing', { node: 'out', display_node: 'out', prompt_id: 'p' }],
    ['executed', { node: 'out', display_node: 'out', output: { values: [3] }, prompt_id: 'p' }],
    [
      'progress_state',
      { prompt_id: 'p', nodes: { a: state('a', 'finished', 1), out: state('out', 'finished', 1) } },
    ],
    ['execution_success', { prompt_id: 'p', timestamp: TIME }],
  ]);
  expect(new Set(bench.heard.map(({ to }) => to))).toEqual(new Set(['me']));
  expect(outcome).toEqual({
    status: 'success',
    outputs: { out: { values: [3] } },
    meta: { out: { node_id: 'out', display_node: 'out', parent_node: null, real_node_id: 'out' } },
    messages: [
      ['execution_start', { prompt_id: 'p', timestamp: TIME }],
      ['execution_cached', { nodes: [], prompt_id: 'p', timestamp: TIME }],
      ['execution_success', { prompt_id: 'p', timestamp: TIME }],
    ],
  });
});

test('a fully cached run: all ids, executed for the output, one progress_state', async () => {
  const bench = createBench([Value, Show]);
  await bench.run(graph);
  const outcome = await bench.run(graph, { promptId: 'p' });
  expect(bench.heard.map(({ event }) => event)).toEqual([
    'execution_start',
    'execution_cached',
    'executed',
    'progress_state',
    'execution_success',
  ]);
  expect(bench.of('execution_cached')[0]?.['nodes']).toEqual(['a', 'out']);
  expect(bench.of('executed')[0]).toEqual({
    node: 'out',
    display_node: 'out',
    output: { values: [3] },
    prompt_id: 'p',
  });
  expect(outcome.outputs).toEqual({ out: { values: [3] } });
  expect(outcome.meta['out']?.node_id).toBe('out');
});

test('without a client only progress_state is sent, to everybody; history is kept all the same', async () => {
  const bench = createBench([Value, Show]);
  const outcome = await bench.run(graph, { anonymous: true });
  expect(new Set(bench.heard.map(({ event }) => event))).toEqual(new Set(['progress_state']));
  expect(bench.heard[0]?.to).toBeUndefined();
  expect(outcome.messages.map(([event]) => event)).toEqual([
    'execution_start',
    'execution_cached',
    'execution_success',
  ]);
});

test('only the outputs of the job run, with what they need', async () => {
  const bench = createBench([Value, Show, Sum]);
  await bench.run(
    { ...graph, b: at('Value', { value: 1 }), other: at('Show', { value: ['b', 0] }) },
    { outputs: ['out'] },
  );
  expect(bench.ran()).toEqual(['a', 'out']);
});

test('what feeds an output goes before what was added earlier, and the output at once', async () => {
  const bench = createBench([Value, Show, Sum]);
  // y is added after x (its input comes last), and so would run after it.
  await bench.run({
    x: at('Value', { value: 1 }),
    y: at('Value', { value: 2 }),
    sum: at('Sum', { a: ['y', 0], b: ['x', 0] }),
    direct: at('Show', { value: ['y', 0] }),
    through: at('Show', { value: ['sum', 0] }),
  });
  expect(bench.ran()).toEqual(['y', 'direct', 'x', 'sum', 'through']);
});

test('what neither client nor history could read fails its node', async () => {
  const Odd = nodeClass('Odd', { terminal: true, outputs: [], run: () => ({ ui: { big: [1n] } }) });
  for (const anonymous of [false, true]) {
    const bench = createBench([Odd]);
    const outcome = await bench.run({ odd: at('Odd') }, { anonymous });
    expect(outcome.status).toBe('error');
    expect(outcome.messages.at(-1)?.[1]).toMatchObject({ node_id: 'odd', exception_type: 'TypeError' });
  }
});

test('ids and names that are words of JavaScript', async () => {
  const bench = createBench([Value, Show]);
  const prompt = Object.assign(Object.create(null), {
    ['__proto__']: at('Value', { value: 5 }),
    constructor: at('Show', { value: ['__proto__', 0] }),
  });
  Object.defineProperty(prompt, '__proto__', { value: at('Value', { value: 5 }), enumerable: true });
  const outcome = await bench.run(prompt);
  expect(Object.hasOwn(outcome.outputs, 'constructor')).toBe(true);
  expect(bench.ran()).toEqual(['__proto__', 'constructor']);
});

test('progress is told at most ten times a second, the last word always', async () => {
  const Steps = nodeClass('Steps', {
    required: inputs('count'),
    terminal: true,
    async run({ count }, { host }) {
      const began = performance.now();
      for (let step = 1; step <= Number(count); step++) {
        host.progress?.(step, Number(count));
        while (performance.now() - began < step * 2) await undefined;
      }
      return { ui: { done: [true] } };
    },
  });
  const bench = createBench([Steps]);
  await bench.run({ steps: at('Steps', { count: 100 }) }, { promptId: 'p' });
  const told = bench.of('progress');
  expect(told.length).toBeGreaterThan(1);
  expect(told.length).toBeLessThan(6);
  expect(told[0]).toEqual({ value: 1, max: 100, prompt_id: 'p', node: 'steps' });
  expect(told.at(-1)).toMatchObject({ value: 100 });
  expect(bench.of('progress_state').at(-1)).toMatchObject({
    nodes: { steps: { value: 100, max: 100, state: 'finished' } },
  });
});

test('a preview is sent with whose it is', async () => {
  const picture = { width: 1, height: 1, channels: 3, data: new Uint8Array(3) } as const;
  const Previews = nodeClass('Previews', {
    terminal: true,
    run: (_given, { host }) => {
      host.progress?.(1, 2, picture);
      return {};
    },
  });
  const bench = createBench([Previews]);
  await bench.run({ p: at('Previews') }, { promptId: 'job' });
  expect(bench.of('preview')).toEqual([
    {
      picture,
      of: { node_id: 'p', prompt_id: 'job', display_node_id: 'p', parent_node_id: null, real_node_id: 'p' },
    },
  ]);
});
