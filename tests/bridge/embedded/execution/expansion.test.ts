import { describe, expect, test } from 'vitest';
import type { ApiNode } from '../../../../nodes/kit/api-prompt.ts';
import { isApiLink } from '../../../../nodes/kit/api-prompt.ts';
import type { DynamicPrompt, ExpandedNode } from '../../../../nodes/kit/graph-node.ts';
import { at, createBench, inputs, MakeList, nodeClass, Show, Sum, Value } from './harness.ts';

/** x + 1, by a graph of its own. */
const AddOne = nodeClass('AddOne', {
  required: inputs('x'),
  run: ({ x }) => ({
    expand: { one: at('Value', { value: 1 }), sum: at('Sum', { a: x, b: ['one', 0] }) },
    outputs: [['sum', 0]],
  }),
});
/** x + 2, by two of those. */
const AddTwo = nodeClass('AddTwo', {
  required: inputs('x'),
  run: ({ x }) => ({
    expand: { a: at('AddOne', { x }), b: at('AddOne', { x: ['a', 0] }) },
    outputs: [['b', 0]],
  }),
});
const Pairs = { ...MakeList, optional: inputs('value2', 'value3') };
const classes = [AddOne, AddTwo, Value, Sum, Show, Pairs];

describe('expansion', () => {
  test('ids, display, parents and real ids; the parent is done last', async () => {
    const bench = createBench(classes);
    const outcome = await bench.run(
      { t: at('AddTwo', { x: 5 }), out: at('Show', { value: ['t', 0] }) },
      { promptId: 'p' },
    );
    expect(outcome.outputs).toEqual({ out: { values: [7] } });
    // `one` of the second is the same graph as `one` of the first, but kept with its own parent, so it runs too.
    expect(bench.ran()).toEqual([
      't',
      't.0.0.a',
      't.0.0.a.0.0.one',
      't.0.0.a.0.0.sum',
      't.0.0.b',
      't.0.0.b.0.0.one',
      't.0.0.b.0.0.sum',
      'out',
    ]);
    expect(
      bench.of('executing').every((data) => data['node'] === 'out' || data['display_node'] === 't'),
    ).toBe(true);
    expect(bench.of('progress_state').at(-1)).toMatchObject({
      nodes: {
        't.0.0.a.0.0.sum': {
          state: 'finished',
          display_node_id: 't',
          parent_node_id: 't.0.0.a',
          real_node_id: 't',
        },
        t: { state: 'finished', parent_node_id: null },
      },
    });
  });

  test('each element of a list expands on its own, beside calls that do not', async () => {
    const Odd = nodeClass('Odd', {
      required: inputs('x'),
      outputs: [
        { type: '*', name: 'sum' },
        { type: '*', name: 'x' },
      ],
      run: ({ x }) =>
        x === 2
          ? { outputs: ['two', x] }
          : { expand: { s: at('Sum', { a: x, b: x }) }, outputs: [['s', 0], x] },
    });
    const bench = createBench([...classes, Odd]);
    const outcome = await bench.run({
      xs: at('MakeList', { value1: 1, value2: 2, value3: 3 }),
      odd: at('Odd', { x: ['xs', 0] }),
      sums: at('Show', { value: ['odd', 0] }),
      xs2: at('Show', { value: ['odd', 1] }),
    });
    expect(outcome.outputs).toEqual({ sums: { values: [2, 'two', 6] }, xs2: { values: [1, 2, 3] } });
    expect(bench.ran()).toContain('odd.0.0.s');
    expect(bench.ran()).toContain('odd.2.0.s');
  });

  test('a name that is an id below the node already stays', async () => {
    const Whole = nodeClass('Whole', {
      run: (_given, { host: { nodeId } }) => ({
        expand: {
          [`${nodeId}.0.7.v`]: at('Value', { value: 1 }),
          w: at('Sum', { a: [`${nodeId}.0.7.v`, 0] }),
        },
        outputs: [['w', 0]],
      }),
    });
    const bench = createBench([...classes, Whole]);
    const outcome = await bench.run({ w: at('Whole'), out: at('Show', { value: ['w', 0] }) });
    expect(outcome.outputs).toEqual({ out: { values: [1] } });
    expect(bench.ran()).toEqual(['w', 'w.0.7.v', 'w.0.0.w', 'out']);
  });

  test('links lead out of the expansion too, also to nodes that nothing else needed', async () => {
    const Reach = nodeClass('Reach', {
      required: inputs('x!'),
      run: ({ x }) => ({ expand: { s: at('Sum', { a: x, b: ['far', 0] }) }, outputs: [['s', 0]] }),
    });
    const bench = createBench([...classes, Reach]);
    const outcome = await bench.run({
      near: at('Value', { value: 1 }),
      far: at('Value', { value: 40 }),
      r: at('Reach', { x: ['near', 0] }),
      out: at('Show', { value: ['r', 0] }),
    });
    expect(outcome.outputs).toEqual({ out: { values: [41] } });
  });

  test('output nodes of an expansion run, though the parent does not wait for them', async () => {
    const Shows = nodeClass('Shows', {
      required: inputs('x'),
      run: ({ x }) => ({ expand: { show: at('Show', { value: x }) }, outputs: [x] }),
    });
    const bench = createBench([...classes, Shows]);
    const outcome = await bench.run({ s: at('Shows', { x: 4 }), out: at('Show', { value: ['s', 0] }) });
    expect(outcome.outputs).toEqual({ 's.0.0.show': { values: [4] }, out: { values: [4] } });
    expect(outcome.meta['s.0.0.show']).toEqual({
      node_id: 's.0.0.show',
      display_node: 's',
      parent_node: 's',
      real_node_id: 's',
    });
  });

  test('a list that an inner node gives stays in its slot', async () => {
    const Two = nodeClass('Two', {
      outputs: [
        { type: '*', name: 'many' },
        { type: '*', name: 'one' },
      ],
      run: () => ({
        expand: { l: at('MakeList', { value1: 1, value2: 2 }) },
        outputs: [['l', 0], 'end'],
      }),
    });
    const outcome = await createBench([...classes, Two]).run({
      two: at('Two'),
      many: at('Show', { value: ['two', 0] }),
      one: at('Show', { value: ['two', 1] }),
    });
    expect(outcome.outputs).toEqual({ many: { values: [1, 2] }, one: { values: ['end'] } });
  });

  test('literals of an expansion may be values of any kind', async () => {
    const handle = { open: () => 'sesame' };
    const Hands = nodeClass('Hands', {
      run: () => ({ expand: { v: at('Value', { value: handle }) }, outputs: [['v', 0]] }),
    });
    let got: unknown;
    const Takes = nodeClass('Takes', {
      required: inputs('x'),
      terminal: true,
      run: ({ x }) => {
        got = x;
        return {};
      },
    });
    await createBench([...classes, Hands, Takes]).run({ h: at('Hands'), t: at('Takes', { x: ['h', 0] }) });
    expect(got).toBe(handle);
  });

  // Reference 3 and ComfyUI's test_dynamic_cycle_error.
  test('a cycle that an expansion makes is blamed on the node that expanded', async () => {
    const Circle = nodeClass('Circle', {
      run: () => ({
        expand: { a: at('Sum', { a: ['b', 0] }), b: at('Sum', { a: ['a', 0] }) },
        outputs: [['a', 0]],
      }),
    });
    const bench = createBench([...classes, Circle]);
    const outcome = await bench.run(
      { c: at('Circle'), out: at('Show', { value: ['c', 0] }) },
      { promptId: 'p' },
    );
    expect(outcome.status).toBe('error');
    expect(outcome.messages.at(-1)).toEqual([
      'execution_error',
      {
        prompt_id: 'p',
        node_id: 'c',
        node_type: 'Circle',
        executed: [],
        exception_message: 'Dependency cycle detected',
        exception_type: 'graph.DependencyCycleError',
        traceback: [],
        current_inputs: [],
        current_outputs: ['c', 'out'],
        timestamp: 1_700_000_000_000,
      },
    ]);
  });

  test.each([
    ['a class that is not there', { x: at('Nowhere') }, [['x', 0]]],
    ['a link to a node that is not there', { x: at('Value', { value: ['gone', 0] }) }, [['x', 0]]],
    ['a result that links nowhere', { x: at('Value', { value: 1 }) }, [['gone', 0]]],
    ['a result that links to a slot that is not there', { x: at('Value', { value: 1 }) }, [['x', 4]]],
    ['no node', { x: JSON.parse('{"inputs":{}}') }, [['x', 0]]],
  ])('%s fails the node that expanded', async (_name, expand, outputs) => {
    const Bad = nodeClass('Bad', { run: () => ({ expand, outputs }) });
    const bench = createBench([...classes, Bad]);
    const outcome = await bench.run({ bad: at('Bad'), out: at('Show', { value: ['bad', 0] }) });
    expect(outcome.messages.at(-1)?.[1]).toMatchObject({ node_id: 'bad', node_type: 'Bad' });
  });
});

describe('a loop by expansion, as ComfyUI graphs spell it', () => {
  const Open = nodeClass('Open', {
    required: inputs('remaining'),
    optional: inputs('value'),
    outputs: [
      { type: 'FLOW', name: 'flow' },
      { type: '*', name: 'remaining' },
      { type: '*', name: 'value' },
    ],
    run: ({ remaining, value }) => ({ outputs: ['flow', remaining, value] }),
  });
  /** Clones everything between itself and its Open, with `remaining` one less, until that is 0. */
  const Close = nodeClass('Close', {
    required: inputs('flow!', 'remaining', 'value'),
    hidden: { id: 'UNIQUE_ID', graph: 'DYNPROMPT' },
    run: ({ flow, remaining, value, id }, { dynamicPrompt }) => {
      const left = Number(remaining) - 1;
      if (left <= 0 || !isApiLink(flow)) return { outputs: [value] };
      const body = between(dynamicPrompt, String(flow[0]), String(id));
      // The last part is enough: whole ids inside ids would grow with the square of the rounds.
      const name = (node: string) => (node === id ? 'Recurse' : (node.split('.').at(-1) ?? node));
      const expand: Record<string, ExpandedNode> = {};
      for (const node of body) {
        const original = dynamicPrompt.node(node)!;
        const renamed = Object.entries(original.inputs).map(([key, given]) =>
          isApiLink(given) && body.has(given[0]) ? [key, [name(given[0]), given[1]]] : [key, given],
        );
        expand[name(node)] = {
          class_type: original.class_type,
          inputs: { ...Object.fromEntries(renamed), ...(node === flow[0] && { remaining: left, value }) },
          override_display_id: node,
        };
      }
      return { expand, outputs: [['Recurse', 0]] };
    },
  });

  function between(prompt: DynamicPrompt, from: string, to: string): Set<string> {
    const reaches = (id: string): boolean => id === from || sourcesOf(prompt.node(id)).some(reaches);
    const body = new Set<string>();
    const walk = (id: string): void => {
      if (body.has(id) || !reaches(id)) return;
      body.add(id);
      if (id !== from) for (const source of sourcesOf(prompt.node(id))) walk(source);
    };
    walk(to);
    return body;
  }
  const sourcesOf = (node: ApiNode | undefined): string[] =>
    Object.values(node?.inputs ?? {})
      .filter(isApiLink)
      .map(([id]) => id);

  const loop = (rounds: number) => ({
    open: at('Open', { remaining: rounds, value: 1 }),
    twice: at('Sum', { a: ['open', 2], b: ['open', 2] }),
    close: at('Close', { flow: ['open', 0], remaining: ['open', 1], value: ['twice', 0] }),
    out: at('Show', { value: ['close', 0] }),
  });

  test.each(['classic', 'none'] as const)('runs its body again and again: %s', async (kind) => {
    const bench = createBench([...classes, Open, Close], { kind });
    for (const rounds of [1, 2, 5, 3]) {
      const outcome = await bench.run(loop(rounds));
      expect(outcome.outputs).toEqual({ out: { values: [2 ** rounds] } });
    }
  });

  test('clients see the nodes of the body as those that were cloned', async () => {
    const bench = createBench([...classes, Open, Close]);
    await bench.run(loop(3));
    const shown = new Set(bench.of('executing').map((data) => data['display_node']));
    expect(shown).toEqual(new Set(['open', 'twice', 'close', 'out']));
  });

  test('hundreds of rounds cost the same each', async () => {
    const bench = createBench([...classes, Open, Close], { kind: 'classic' });
    const time = async (rounds: number): Promise<number> => {
      const began = performance.now();
      // Sums overflow to Infinity after 1024 doublings, which is no matter here.
      await bench.run(loop(rounds));
      return (performance.now() - began) / rounds;
    };
    await time(50);
    const few = await time(100);
    const many = await time(400);
    expect(many / few).toBeLessThan(8);
  });
});
