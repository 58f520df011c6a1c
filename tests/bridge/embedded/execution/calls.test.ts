import { describe, expect, test } from 'vitest';
import { ExactNumber } from '../../../../nodes/kit/exact-json.ts';
import { ExecutionBlocker, type RunInputs } from '../../../../nodes/kit/graph-node.ts';
import { at, createBench, inputs, MakeList, nodeClass, Show, Sum, Value } from './harness.ts';

/** A class that keeps what it was called with. */
function spy(rest: Partial<Parameters<typeof nodeClass>[1]> = {}) {
  const calls: RunInputs[] = [];
  const node = nodeClass('Spy', {
    terminal: true,
    required: inputs('x'),
    run: (given) => {
      calls.push({ ...given });
      return { outputs: [0] };
    },
    ...rest,
  });
  return { calls, node };
}

const list = (...values: unknown[]) =>
  at('MakeList', Object.fromEntries(values.map((value, i) => [`value${i + 1}`, value])));

async function callsWith(
  given: Record<string, unknown>,
  rest: Partial<Parameters<typeof nodeClass>[1]> = {},
  others: Record<string, ReturnType<typeof at>> = {},
) {
  const { calls, node } = spy(rest);
  const bench = createBench([node, MakeVariadic, Value]);
  const outcome = await bench.run({ ...others, spy: at('Spy', given) });
  return { calls, outcome, bench };
}

/** As ComfyUI's own: undeclared literals are dropped, so the values must be declared. */
const MakeVariadic = { ...MakeList, optional: inputs('value2', 'value3', 'value4') };

describe('what a class is called with', () => {
  const typed = { required: inputs('i:INT', 'f:FLOAT', 's:STRING', 'b:BOOLEAN', 'u:IMAGE,FLOAT') };

  test('literals become values of their type; where several types are taken the spelling stays', async () => {
    const { calls } = await callsWith(
      {
        i: new ExactNumber('18446744073709551615'),
        f: new ExactNumber('5.0'),
        s: 'text',
        b: true,
        u: new ExactNumber('5.0'),
      },
      typed,
    );
    expect(calls).toEqual([
      { i: 18446744073709551615n, f: 5, s: 'text', b: true, u: new ExactNumber('5.0') },
    ]);
  });

  test('an integer that a double holds is a number', async () => {
    const { calls } = await callsWith({ i: new ExactNumber('-0'), f: 1.5 }, typed);
    expect(calls).toEqual([{ i: 0, f: 1.5 }]);
  });

  test('a wrapped list is a literal, not a link', async () => {
    const { calls } = await callsWith({ x: { __value__: ['a', 0] } });
    expect(calls).toEqual([{ x: ['a', 0] }]);
  });

  test('absent inputs are absent, undeclared literals are dropped, undeclared links are passed', async () => {
    const { calls } = await callsWith(
      { y: 1, z: ['v', 0] },
      { optional: inputs('o') },
      { v: at('Value', { value: 7 }) },
    );
    expect(calls).toEqual([{ z: 7 }]);
  });

  test('a class that accepts all inputs gets undeclared literals as they were parsed', async () => {
    const { calls } = await callsWith({ y: new ExactNumber('5.0') }, { acceptsAllInputs: true });
    expect(calls).toEqual([{ y: new ExactNumber('5.0') }]);
  });

  test('a raw link is handed on as it stands', async () => {
    const { calls } = await callsWith(
      { x: ['v', 0] },
      { required: inputs('x!') },
      { v: at('Value', { value: 7 }) },
    );
    expect(calls).toEqual([{ x: ['v', 0] }]);
  });

  test('hidden inputs are filled; one of another type is an input like any other', async () => {
    const { calls, node } = spy({
      hidden: {
        prompt: 'PROMPT',
        dynprompt: 'DYNPROMPT',
        pnginfo: 'EXTRA_PNGINFO',
        id: 'UNIQUE_ID',
        token: 'AUTH_TOKEN_COMFY_ORG',
        value: 'INT',
      },
    });
    const prompt = { spy: at('Spy', { value: 4, token: 'forged', id: 'forged' }) };
    await createBench([node]).run(prompt, { extraData: { extra_pnginfo: { workflow: {} } } });
    expect(calls[0]).toMatchObject({
      prompt,
      pnginfo: { workflow: {} },
      id: 'spy',
      value: 4,
      token: undefined,
    });
    expect(calls[0]?.['dynprompt']).toHaveProperty('original', prompt);
  });

  test('a link to a slot that the source does not have gives undefined', async () => {
    const { calls } = await callsWith({ x: ['v', 3] }, {}, { v: at('Value', { value: 7 }) });
    expect(calls).toEqual([{ x: undefined }]);
  });
});

describe('lists', () => {
  const lists = { long: list(1, 2, 3), short: list('a', 'b') };

  test('one call for each element of the longest, the last of a shorter repeated', async () => {
    const { calls } = await callsWith(
      { x: ['long', 0], y: ['short', 0], z: 9 },
      { optional: inputs('y', 'z') },
      lists,
    );
    expect(calls).toEqual([
      { x: 1, y: 'a', z: 9 },
      { x: 2, y: 'b', z: 9 },
      { x: 3, y: 'b', z: 9 },
    ]);
  });

  test('no inputs: one call', async () => {
    const { calls } = await callsWith({}, { required: {} });
    expect(calls).toEqual([{}]);
  });

  test('a class that takes lists is called once; literals and hidden inputs are lists of one', async () => {
    const { calls } = await callsWith(
      { x: ['long', 0], y: 9 },
      { inputIsList: true, optional: inputs('y'), hidden: { id: 'UNIQUE_ID' } },
      lists,
    );
    expect(calls).toEqual([{ x: [1, 2, 3], y: [9], id: ['spy'] }]);
  });

  test('an empty list beside others fails the node; alone it is one call without inputs, as in ComfyUI', async () => {
    const Empty = nodeClass('Empty', {
      outputs: [{ type: '*', name: 'list', isList: true }],
      run: () => ({ outputs: [[]] }),
    });
    const { calls, node } = spy({ optional: inputs('y') });
    const bench = createBench([node, Empty]);
    await bench.run({ e: at('Empty'), spy: at('Spy', { x: ['e', 0] }) });
    expect(calls).toEqual([{}]);
    const outcome = await bench.run({ e: at('Empty'), spy: at('Spy', { x: ['e', 0], y: 1 }) });
    expect(outcome.messages.at(-1)?.[1]).toMatchObject({ node_id: 'spy' });
  });

  test('ui messages of all calls are joined', async () => {
    const bench = createBench([MakeVariadic, Show]);
    const outcome = await bench.run({ ...lists, out: at('Show', { value: ['long', 0] }) });
    expect(outcome.outputs).toEqual({ out: { values: [1, 2, 3] } });
    expect(bench.of('executed')).toHaveLength(1);
  });

  test('a slot that is no list where one is declared, and a call with fewer outputs, fail', async () => {
    const NoList = nodeClass('NoList', {
      terminal: true,
      outputs: [{ type: '*', name: 'list', isList: true }],
      run: () => ({ outputs: [5] }),
    });
    const Fewer = nodeClass('Fewer', {
      terminal: true,
      required: inputs('x'),
      run: ({ x }) => ({ outputs: x === 1 ? [1, 2] : [1] }),
    });
    const bench = createBench([NoList, Fewer, MakeVariadic]);
    for (const prompt of [{ n: at('NoList') }, { ...lists, n: at('Fewer', { x: ['long', 0] }) }]) {
      const outcome = await bench.run(prompt);
      expect(outcome.messages.at(-1)?.[1]).toMatchObject({ node_id: 'n', exception_type: 'NodeResultError' });
    }
  });
});

describe('lazy inputs', () => {
  /** Asks for `a` if its switch is on, else for `b`. */
  const Switch = nodeClass('Switch', {
    required: inputs('on', 'a?', 'b?'),
    checkLazy: ({ on, a, b }) => (on ? (a === undefined ? ['a'] : []) : b === undefined ? ['b'] : []),
    run: ({ on, a, b }) => ({ outputs: [on ? a : b] }),
  });
  const branches = { yes: at('Value', { value: 'yes' }), no: at('Value', { value: 'no' }) };
  const classes = [Switch, Value, Show, MakeVariadic];

  test.each([true, false])('only the branch asked for runs: %s', async (on) => {
    const bench = createBench(classes);
    const outcome = await bench.run({
      ...branches,
      s: at('Switch', { on, a: ['yes', 0], b: ['no', 0] }),
      out: at('Show', { value: ['s', 0] }),
    });
    const name = on ? 'yes' : 'no';
    expect(outcome.outputs['out']).toEqual({ values: [name] });
    // The node is staged, asks, and is staged again: `executing` comes twice, as in ComfyUI.
    expect(bench.ran()).toEqual(['s', name, 's', 'out']);
  });

  test('over a list the wishes of all calls count', async () => {
    const bench = createBench(classes);
    const outcome = await bench.run({
      ...branches,
      ons: list(true, false),
      s: at('Switch', { on: ['ons', 0], a: ['yes', 0], b: ['no', 0] }),
      out: at('Show', { value: ['s', 0] }),
    });
    expect(outcome.outputs['out']).toEqual({ values: ['yes', 'no'] });
  });

  test('a cached result counts only once it is asked for', async () => {
    const bench = createBench(classes);
    const prompt = {
      ...branches,
      s: at('Switch', { on: true, a: ['yes', 0], b: ['no', 0] }),
      all: at('Show', { value: ['no', 0] }),
      out: at('Show', { value: ['s', 0] }),
    };
    await bench.run(prompt);
    const outcome = await bench.run({
      ...prompt,
      s: at('Switch', { on: false, a: ['yes', 0], b: ['no', 0] }),
    });
    expect(outcome.outputs['out']).toEqual({ values: ['no'] });
    expect(bench.ran()).toEqual(['s', 's', 'out']);
  });

  test('asking in turns, and asynchronously', async () => {
    const asked: string[] = [];
    const Turns = nodeClass('Turns', {
      required: inputs('a?', 'b?', 'c?'),
      async checkLazy(given) {
        await new Promise((resolve) => setTimeout(resolve, 2));
        const next = ['a', 'b', 'c'].find((name) => given[name] === undefined);
        if (next) asked.push(next);
        return next ? [next] : [];
      },
      run: ({ a, b, c }) => ({ outputs: [`${a}${b}${c}`] }),
    });
    const bench = createBench([...classes, Turns]);
    const outcome = await bench.run({
      ...branches,
      t: at('Turns', { a: ['yes', 0], b: ['no', 0], c: ['yes', 0] }),
      out: at('Show', { value: ['t', 0] }),
    });
    expect(outcome.outputs['out']).toEqual({ values: ['yesnoyes'] });
    // `c` comes from the same node as `a`, so it is there by then.
    expect(asked).toEqual(['a', 'b']);
  });

  test('asking again for what will never be there ends', async () => {
    const bench = createBench(classes);
    const outcome = await bench.run({
      ...branches,
      s: at('Switch', { on: true, a: ['yes', 5], b: ['no', 0] }),
      out: at('Show', { value: ['s', 0] }),
    });
    expect(outcome.outputs['out']).toEqual({ values: [null] });
  });

  test.each([
    ['that is unknown', {}, 'there is no input'],
    ['whose literal was dropped', { z: 1 }, 'is a constant'],
    ['that is a literal: it is there', { z: 1, a: 1 }, undefined],
  ])('asking for an input %s', async (_name, given, message) => {
    const wanted = 'a' in given ? 'a' : 'z';
    const Wants = nodeClass('Wants', {
      required: inputs('a?'),
      terminal: true,
      checkLazy: () => [wanted],
      run: () => ({}),
    });
    const outcome = await createBench([Wants]).run({ w: at('Wants', given) });
    expect(outcome.status).toBe(message ? 'error' : 'success');
    if (!message) return;
    expect(outcome.messages.at(-1)?.[1]).toMatchObject({
      exception_type: 'comfy_execution.graph.NodeInputError',
      exception_message: expect.stringContaining(message),
    });
  });
});

describe('blockers', () => {
  const Block = nodeClass('Block', {
    required: inputs('x', 'on'),
    optional: inputs('why'),
    run: ({ x, on, why }) => ({
      outputs: [on ? new ExecutionBlocker(typeof why === 'string' ? why : undefined) : x],
    }),
  });
  const Pair = nodeClass('Pair', {
    required: inputs('x'),
    outputs: [
      { type: '*', name: 'one' },
      { type: '*', name: 'many', isList: true },
    ],
    run: ({ x }) => ({ outputs: [x, [x, x]] }),
  });
  const classes = [Block, Pair, MakeVariadic, Value, Show];

  test('blocks one element and all that depends on it, in silence', async () => {
    const bench = createBench(classes);
    const outcome = await bench.run({
      xs: list(1, 2, 3),
      ons: list(false, true, false),
      b: at('Block', { x: ['xs', 0], on: ['ons', 0] }),
      pair: at('Pair', { x: ['b', 0] }),
      one: at('Show', { value: ['pair', 0] }),
      many: at('Show', { value: ['pair', 1] }),
    });
    expect(outcome.status).toBe('success');
    expect(outcome.outputs).toEqual({ one: { values: [1, 3] }, many: { values: [1, 1, 3, 3] } });
    expect(bench.of('execution_error')).toEqual([]);
  });

  test('with a message the client hears of it once, and the job succeeds', async () => {
    const bench = createBench(classes);
    const outcome = await bench.run(
      {
        b: at('Block', { x: 1, on: true, why: 'Not today' }),
        pair: at('Pair', { x: ['b', 0] }),
        one: at('Show', { value: ['pair', 0] }),
        many: at('Show', { value: ['pair', 1] }),
      },
      { promptId: 'p' },
    );
    expect(bench.of('execution_error')).toEqual([
      {
        prompt_id: 'p',
        node_id: 'pair',
        node_type: 'Pair',
        executed: ['b'],
        exception_message: 'Execution Blocked: Not today',
        exception_type: 'ExecutionBlocked',
        traceback: [],
        current_inputs: [],
        current_outputs: [],
      },
    ]);
    expect(bench.heard.at(-1)?.event).toBe('execution_success');
    expect(outcome.messages.map(([event]) => event)).not.toContain('execution_error');
    expect(outcome.outputs).toEqual({});
  });

  test('a class that takes lists is blocked by any element', async () => {
    const bench = createBench(classes);
    const outcome = await bench.run({
      xs: list(1, 2),
      ons: list(false, true),
      b: at('Block', { x: ['xs', 0], on: ['ons', 0] }),
      all: at('MakeList', { value1: ['b', 0] }),
      out: at('Show', { value: ['all', 0] }),
    });
    expect(outcome.outputs).toEqual({});
  });
});

test('a result that is no object fails its node', async () => {
  const Nothing = nodeClass('Nothing', { terminal: true, run: () => JSON.parse('null') });
  const outcome = await createBench([Nothing, Sum]).run({ n: at('Nothing') });
  expect(outcome.messages.at(-1)?.[1]).toMatchObject({ node_id: 'n', exception_type: 'NodeResultError' });
});

describe('async calls over a list', () => {
  /** The order in which calls begin and end, the first being the slowest. */
  async function orderOf(terminal: boolean): Promise<string[]> {
    const order: string[] = [];
    const node = nodeClass('Slow', {
      terminal,
      required: inputs('x'),
      async run({ x }) {
        order.push(`begin ${x}`);
        await new Promise((done) => setTimeout(done, x === 1 ? 30 : 1));
        order.push(`end ${x}`);
        return { outputs: [x] };
      },
    });
    const shown = { spy: at('Slow', { x: ['list', 0] }), list: list(1, 2) };
    await createBench([node, MakeVariadic, Show]).run(
      terminal ? shown : { ...shown, show: at('Show', { value: ['spy', 0] }) },
    );
    return order;
  }

  test('a node that runs for its effect has it in the order of the list', async () => {
    expect(await orderOf(true)).toEqual(['begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  test('those of another node run side by side', async () => {
    expect((await orderOf(false)).slice(0, 2)).toEqual(['begin 1', 'begin 2']);
  });
});
