import { describe, expect, test } from 'vitest';
import { ERRORS, LineageError } from '../../../../nodes/kit/errors.ts';
import { at, createBench, deferred, inputs, nodeClass, Show, Value } from './harness.ts';

const Fail = nodeClass('Fail', {
  required: inputs('x'),
  terminal: true,
  run: ({ x }) => {
    throw x === 'ours'
      ? new LineageError('image/shape', 'expected 3 channels, got 7')
      : new RangeError('too far');
  },
});

describe('errors', () => {
  test('every field of execution_error', async () => {
    const bench = createBench([Fail, Value]);
    const picture = { width: 4, height: 2, channels: 3, data: new Uint8Array(24) };
    const Picture = nodeClass('Picture', { run: () => ({ outputs: [[picture]] }) });
    const withPicture = createBench([Fail, Value, Picture]);
    const outcome = await withPicture.run(
      {
        v: at('Value', { value: 5 }),
        p: at('Picture'),
        f: at('Fail', { x: ['v', 0], y: ['p', 0], z: ['v', 9] }),
      },
      { promptId: 'p1' },
    );
    const error = outcome.messages.at(-1);
    expect(outcome.status).toBe('error');
    expect(error).toEqual([
      'execution_error',
      {
        prompt_id: 'p1',
        node_id: 'f',
        node_type: 'Fail',
        executed: expect.arrayContaining(['v', 'p']),
        exception_message: 'too far\n',
        exception_type: 'RangeError',
        traceback: expect.arrayContaining([expect.stringMatching(/^ {4}at .*failures\.test\.ts.*\n$/)]),
        current_inputs: { x: [5], y: ['[picture 4x2x3]'], z: [null] },
        current_outputs: ['v', 'p', 'f'],
        timestamp: 1_700_000_000_000,
      },
    ]);
    expect(withPicture.of('execution_error')).toHaveLength(1);
    expect(withPicture.heard.at(-1)?.event).toBe('execution_error');
    expect(withPicture.logged.join()).toContain('too far');
    expect(bench.heard).toEqual([]);
  });

  test('one of ours shows code, message and what to do', async () => {
    const outcome = await createBench([Fail]).run({ f: at('Fail', { x: 'ours' }) });
    expect(outcome.messages.at(-1)?.[1]).toMatchObject({
      exception_message: `image/shape: expected 3 channels, got 7\n${ERRORS['image/shape']}\n`,
      exception_type: 'LineageError',
    });
  });

  test('causes are in the traceback; what is thrown may be anything', async () => {
    const Throws = nodeClass('Throws', {
      required: inputs('what'),
      terminal: true,
      run: ({ what }) => {
        if (what === 'text') throw 'just text';
        if (what === 'bare') throw Object.create(null);
        throw new Error('outer', { cause: new TypeError('inner') });
      },
    });
    const bench = createBench([Throws]);
    const last = async (what: string) =>
      (await bench.run({ t: at('Throws', { what }) })).messages.at(-1)?.[1];
    expect(await last('text')).toMatchObject({ exception_message: 'just text\n', exception_type: 'string' });
    expect(await last('bare')).toMatchObject({ exception_message: '[object Object]\n' });
    expect((await last('error'))?.['traceback']).toContain('Caused by TypeError: inner\n');
  });

  test('a node of an expansion fails as the node that a client knows', async () => {
    const Grow = nodeClass('Grow', {
      run: () => ({ expand: { f: at('Fail', { x: 1 }) }, outputs: [['f', 0]] }),
    });
    const outcome = await createBench([Fail, Grow, Show]).run({
      g: at('Grow'),
      out: at('Show', { value: ['g', 0] }),
    });
    expect(outcome.messages.at(-1)?.[1]).toMatchObject({
      node_id: 'g',
      node_type: 'Grow',
      current_inputs: { x: [1] },
    });
  });

  test('the next job runs, with what the failed one had cached', async () => {
    const bench = createBench([Fail, Value, Show]);
    await bench.run({ v: at('Value', { value: 5 }), f: at('Fail', { x: ['v', 0] }) });
    const outcome = await bench.run({ v: at('Value', { value: 5 }), out: at('Show', { value: ['v', 0] }) });
    expect(outcome.status).toBe('success');
    expect(bench.ran()).toEqual(['out']);
  });

  test('an output that is not in the graph is an error of the job, not of the executor', async () => {
    const outcome = await createBench([Show]).run({}, { outputs: ['gone'] });
    expect(outcome).toMatchObject({ status: 'error' });
    expect(outcome.messages.at(-1)?.[1]).toMatchObject({ node_id: 'gone', node_type: null });
  });

  test('a failure ends the job while others run; their signals abort and what they throw is not heard', async () => {
    let aborted = false;
    const Slow = nodeClass('Slow', {
      terminal: true,
      isAsync: true,
      run: (_given, { host }) =>
        new Promise((_resolve, reject) => {
          host.signal.addEventListener('abort', () => {
            aborted = true;
            reject(new Error('stopped'));
          });
        }),
    });
    const bench = createBench([Slow, Fail, Value]);
    const outcome = await bench.run({
      slow: at('Slow'),
      v: at('Value', { value: 1 }),
      f: at('Fail', { x: ['v', 0] }),
    });
    expect(outcome.messages.at(-1)?.[1]).toMatchObject({ node_id: 'f' });
    expect(aborted).toBe(true);
  });
});

describe('nodes side by side', () => {
  /** Ends when the test says so. */
  function gated() {
    const gates = new Map<string, ReturnType<typeof deferred<unknown>>>();
    const started: string[] = [];
    const gate = (name: string) => {
      const known = gates.get(name) ?? deferred<unknown>();
      gates.set(name, known);
      return known;
    };
    const Wait = nodeClass('Wait', {
      required: inputs('name', 'value'),
      isAsync: true,
      async run({ name }) {
        started.push(String(name));
        return { outputs: [await gate(String(name)).promise] };
      },
    });
    return { Wait, started, gate };
  }

  test('those that are not over after a turn go on beside others; results come in any order', async () => {
    const { Wait, started, gate } = gated();
    const bench = createBench([Wait, Show, Value]);
    const run = bench.run({
      a: at('Wait', { name: 'a', value: 0 }),
      b: at('Wait', { name: 'b', value: 0 }),
      v: at('Value', { value: 'sync' }),
      outV: at('Show', { value: ['v', 0] }),
      outA: at('Show', { value: ['a', 0] }),
      outB: at('Show', { value: ['b', 0] }),
    });
    while (!bench.ran().includes('outV') || started.length < 2) await new Promise(setImmediate);
    gate('b').resolve('B');
    while (!bench.ran().includes('outB')) await new Promise(setImmediate);
    gate('a').resolve('A');
    const outcome = await run;
    expect(outcome.outputs).toEqual({
      outV: { values: ['sync'] },
      outA: { values: ['A'] },
      outB: { values: ['B'] },
    });
    // Each says `executing` once, though it comes up twice.
    expect(bench.ran().filter((id) => id === 'a')).toHaveLength(1);
  });

  test('the calls of one node over a list run side by side, and stay in order', async () => {
    const { Wait, started, gate } = gated();
    const Names = nodeClass('Names', {
      outputs: [{ type: '*', name: 'names', isList: true }],
      run: () => ({ outputs: [['x', 'y', 'z']] }),
    });
    const bench = createBench([Wait, Show, Names]);
    const run = bench.run({
      n: at('Names'),
      w: at('Wait', { name: ['n', 0], value: 0 }),
      out: at('Show', { value: ['w', 0] }),
    });
    while (started.length < 3) await new Promise(setImmediate);
    for (const name of ['z', 'x', 'y']) gate(name).resolve(name.toUpperCase());
    expect((await run).outputs).toEqual({ out: { values: ['X', 'Y', 'Z'] } });
  });

  test('a node left running that fails then fails the job', async () => {
    const { Wait, gate } = gated();
    const bench = createBench([Wait, Show]);
    const run = bench.run({ a: at('Wait', { name: 'a' }), out: at('Show', { value: ['a', 0] }) });
    setImmediate(() => gate('a').reject(new Error('late')));
    expect((await run).messages.at(-1)?.[1]).toMatchObject({ node_id: 'a', exception_message: 'late\n' });
  });

  test('work that never waits gives way to the event loop', async () => {
    const Busy = nodeClass('Busy', {
      required: inputs('n'),
      optional: inputs('after'),
      terminal: true,
      run: () => {
        const began = performance.now();
        while (performance.now() - began < 5);
        return { outputs: [0] };
      },
    });
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const graph = Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`b${i}`, at('Busy', { n: i })]));
    await createBench([Busy]).run(graph);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });
});

describe('interrupt', () => {
  const Hang = nodeClass('Hang', {
    terminal: true,
    isAsync: true,
    run: (_given, { host }) =>
      new Promise((_resolve, reject) => {
        host.progress?.(1, 2);
        host.signal.addEventListener('abort', () => reject(host.signal.reason));
      }),
  });

  test('stops a running node by its signal; history ends with execution_interrupted', async () => {
    const bench = createBench([Hang, Value, Show]);
    const run = bench.run(
      { v: at('Value', { value: 1 }), h: at('Hang'), out: at('Show', { value: ['v', 0] }) },
      { promptId: 'p' },
    );
    while (!bench.ran().includes('out')) await new Promise(setImmediate);
    bench.executor.interrupt();
    const outcome = await run;
    expect(outcome.status).toBe('interrupted');
    const last = {
      prompt_id: 'p',
      node_id: 'h',
      node_type: 'Hang',
      executed: ['v', 'out'],
      timestamp: 1_700_000_000_000,
    };
    expect(outcome.messages.at(-1)).toEqual(['execution_interrupted', last]);
    expect(bench.heard.at(-1)).toEqual({ event: 'execution_interrupted', data: last, to: 'me' });
    expect(outcome.outputs).toEqual({ out: { values: [1] } });
  });

  test('is told to everybody where the job has no client', async () => {
    const bench = createBench([Hang]);
    const run = bench.run({ h: at('Hang') }, { anonymous: true });
    setImmediate(() => bench.executor.interrupt());
    await run;
    expect(bench.heard.at(-1)).toMatchObject({ event: 'execution_interrupted', to: undefined });
  });

  test('is noticed before every call of a list, by progress(), and while a node is asked for lazy inputs', async () => {
    const bench = createBench([
      nodeClass('Names', {
        outputs: [{ type: '*', name: 'names', isList: true }],
        run: () => ({ outputs: [[1, 2, 3]] }),
      }),
      nodeClass('Stops', {
        required: inputs('n'),
        terminal: true,
        run: ({ n }) => {
          if (n === 2) bench.executor.interrupt();
          calls.push(n);
          return {};
        },
      }),
      nodeClass('Talks', {
        terminal: true,
        run: (_given, { host }) => {
          bench.executor.interrupt();
          host.progress?.(1, 2);
          return {};
        },
      }),
      nodeClass('Asks', {
        terminal: true,
        checkLazy: () => {
          setImmediate(() => bench.executor.interrupt());
          return new Promise(() => {});
        },
        run: () => ({}),
      }),
      nodeClass('Prints', {
        terminal: true,
        fingerprint: () => {
          setImmediate(() => bench.executor.interrupt());
          return new Promise(() => {});
        },
        run: () => ({}),
      }),
    ]);
    const calls: unknown[] = [];
    const names = { n: at('Names') };
    expect((await bench.run({ ...names, s: at('Stops', { n: ['n', 0] }) })).status).toBe('interrupted');
    expect(calls).toEqual([1, 2]);
    for (const name of ['Talks', 'Asks', 'Prints']) {
      const outcome = await bench.run({ t: at(name) });
      expect(outcome.status).toBe('interrupted');
      expect(outcome.messages.at(-1)?.[1]).toMatchObject({ node_id: 't' });
    }
  });

  test('between jobs it is lost; the job after an interrupted one runs', async () => {
    const bench = createBench([Hang, Value, Show]);
    const fine = { v: at('Value', { value: 1 }), out: at('Show', { value: ['v', 0] }) };
    bench.executor.interrupt();
    expect((await bench.run(fine)).status).toBe('success');
    const run = bench.run({ h: at('Hang') });
    setImmediate(() => bench.executor.interrupt());
    await run;
    expect((await bench.run(fine)).status).toBe('success');
  });

  test('a node that does not listen is left behind within the grace', async () => {
    const { promise, resolve } = deferred<void>();
    const Deaf = nodeClass('Deaf', { terminal: true, isAsync: true, run: () => promise.then(() => ({})) });
    const bench = createBench([Deaf]);
    const run = bench.run({ d: at('Deaf') });
    await new Promise(setImmediate);
    const began = performance.now();
    bench.executor.interrupt();
    expect((await run).status).toBe('interrupted');
    expect(performance.now() - began).toBeLessThan(1000);
    resolve();
  });
});

test('a second job at the same time is refused', async () => {
  const bench = createBench([Value, Show]);
  const first = bench.run({ out: at('Show', { value: 1 }) });
  await expect(bench.run({ out: at('Show', { value: 2 }) })).rejects.toThrow('one job at a time');
  expect((await first).status).toBe('success');
});

test('values that a run produced are there for others, with and without a cache', async () => {
  for (const kind of ['classic', 'none'] as const) {
    const Asks = nodeClass('Asks', {
      required: inputs('x'),
      terminal: true,
      run: (_given, { host }) => ({
        ui: { values: [host.executed?.('v', 0) ?? null, host.executed?.('gone', 0) ?? null] },
      }),
    });
    const Pass = nodeClass('Pass', { required: inputs('x'), run: () => ({ outputs: [1] }) });
    const outcome = await createBench([Asks, Pass, Value], { kind }).run({
      v: at('Value', { value: 'made' }),
      p: at('Pass', { x: ['v', 0] }),
      a: at('Asks', { x: ['p', 0] }),
    });
    expect(outcome.outputs['a']).toEqual({ values: ['made', null] });
  }
});
