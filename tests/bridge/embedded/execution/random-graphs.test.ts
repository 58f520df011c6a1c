import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CacheChoice } from '../../../../bridge/embedded/execution/caches/create-cache.ts';
import type { ApiPrompt } from '../../../../nodes/kit/api-prompt.ts';
import { isApiLink } from '../../../../nodes/kit/api-prompt.ts';
import { ExecutionBlocker } from '../../../../nodes/kit/graph-node.ts';
import { at, createBench, inputs, nodeClass, Show } from './harness.ts';

/*
 * Random graphs of lists, blockers, lazy inputs, async nodes and expansions, against an evaluator that knows neither
 * order nor cache: a recursive function over the meaning of each class.
 */

const add = (x: unknown, y: unknown) => (Number(x) * 31 + Number(y)) % 1009;
const BLOCKED = new ExecutionBlocker();

const Num = nodeClass('Num', { required: inputs('n'), run: ({ n }) => ({ outputs: [n] }) });
const Add = nodeClass('Add', {
  required: inputs('x', 'y'),
  run: ({ x, y }) => ({ outputs: [add(x, y)] }),
});
const AddLater = nodeClass('AddLater', {
  required: inputs('x', 'y'),
  isAsync: true,
  async run({ x, y }) {
    for (let turns = Number(x) % 3; turns > 0; turns--) await new Promise(setImmediate);
    return { outputs: [add(x, y)] };
  },
});
/** Two lists: its elements, and its elements backwards. */
const Both = nodeClass('Both', {
  required: inputs('x', 'y'),
  inputIsList: true,
  outputs: [
    { type: '*', name: 'on', isList: true },
    { type: '*', name: 'back', isList: true },
  ],
  run: ({ x, y }) => {
    const all = [x, y].flat().slice(0, 5);
    return { outputs: [all, all.toReversed()] };
  },
});
/** Blocks odd numbers. */
const Even = nodeClass('Even', {
  required: inputs('x'),
  run: ({ x }) => ({ outputs: [Number(x) % 2 ? BLOCKED : x] }),
});
/** x where it divides by three, else y; asks for what it needs. */
const Pick = nodeClass('Pick', {
  required: inputs('c', 'x?', 'y?'),
  checkLazy: ({ c, x, y }) =>
    Number(c) % 3 === 0 ? (x === undefined ? ['x'] : []) : y === undefined ? ['y'] : [],
  run: ({ c, x, y }) => ({ outputs: [Number(c) % 3 === 0 ? x : y] }),
});
/** Add, by a graph of its own; even numbers without. */
const Grow = nodeClass('Grow', {
  required: inputs('x', 'y'),
  run: ({ x, y }) =>
    Number(x) % 2 === 0
      ? { outputs: [add(x, y)] }
      : {
          expand: { n: at('Num', { n: x }), later: at('AddLater', { x: ['n', 0], y }) },
          outputs: [['later', 0]],
        },
});
const classes = [Num, Add, AddLater, Both, Even, Pick, Grow, Show];

/** The lists of all slots of a node, by definition. */
function evaluate(prompt: ApiPrompt, id: string, memo = new Map<string, unknown[][]>()): unknown[][] {
  const known = memo.get(id);
  if (known) return known;
  const node = prompt[id]!;
  const list = (name: string): unknown[] => {
    const value = node.inputs[name];
    return isApiLink(value) ? evaluate(prompt, value[0], memo)[value[1]]! : [value];
  };
  const result = meaning(node.class_type, list);
  memo.set(id, result);
  return result;
}

function meaning(classType: string, list: (name: string) => unknown[]): unknown[][] {
  switch (classType) {
    case 'Num':
      return [list('n')];
    case 'Add':
    case 'AddLater':
    case 'Grow':
      return [zip([list('x'), list('y')], ([x, y]) => add(x, y))];
    case 'Even':
      return [zip([list('x')], ([x]) => (Number(x) % 2 ? BLOCKED : x))];
    case 'Both': {
      const all = [...list('x'), ...list('y')];
      if (all.some((value) => value instanceof ExecutionBlocker)) return [[BLOCKED], [BLOCKED]];
      const few = all.slice(0, 5);
      return [few, few.toReversed()];
    }
    case 'Pick': {
      const c = list('c');
      const wants = (third: boolean) =>
        c.some((value) => !(value instanceof ExecutionBlocker) && (Number(value) % 3 === 0) === third);
      // A branch that no call asks for is one undefined.
      const x = wants(true) ? list('x') : [undefined];
      const y = wants(false) ? list('y') : [undefined];
      return [pickAll(c, x, y, list)];
    }
    default:
      throw new Error(classType);
  }
}

/** Asking goes by the calls that there are, and branches that come later may be longer and so add calls. */
function pickAll(c: unknown[], x: unknown[], y: unknown[], list: (name: string) => unknown[]): unknown[] {
  let [xs, ys] = [x, y];
  for (;;) {
    const asked = zip([c, xs, ys], ([value, givenX, givenY]) =>
      Number(value) % 3 === 0 ? (givenX === undefined ? 'x' : '') : givenY === undefined ? 'y' : '',
    );
    if (asked.includes('x') && xs[0] === undefined) xs = list('x');
    else if (asked.includes('y') && ys[0] === undefined) ys = list('y');
    else return zip([c, xs, ys], ([value, a, b]) => (Number(value) % 3 === 0 ? a : b));
  }
}

function zip(lists: unknown[][], call: (values: unknown[]) => unknown): unknown[] {
  const length = Math.max(...lists.map((list) => list.length));
  return Array.from({ length }, (_, i) => {
    const values = lists.map((list) => list[Math.min(i, list.length - 1)]);
    return values.some((value) => value instanceof ExecutionBlocker) ? BLOCKED : call(values);
  });
}

/** Inputs of each class; a link to any other would be passed on, and count. */
const INPUTS = {
  Num: ['n'],
  Add: ['x', 'y'],
  AddLater: ['x', 'y'],
  Both: ['x', 'y'],
  Even: ['x'],
  Pick: ['c', 'x', 'y'],
  Grow: ['x', 'y'],
};

/** A graph in which each node links to earlier ones; every third is shown. */
const graphs = fc
  .array(
    fc.record({
      kind: fc.constantFrom('Num', 'Add', 'AddLater', 'Both', 'Even', 'Pick', 'Grow'),
      picks: fc.tuple(fc.nat(), fc.nat(), fc.nat()),
      n: fc.nat(20),
      shown: fc.boolean(),
    }),
    { minLength: 1, maxLength: 14 },
  )
  .map((nodes) => {
    const prompt: Record<string, ReturnType<typeof at>> = {};
    const slots: [string, number][] = [];
    for (const [i, { kind, picks, n, shown }] of nodes.entries()) {
      const id = `n${i}`;
      const input = (at: number): unknown =>
        slots.length === 0 || picks[at]! % 5 === 0 ? n + at : slots[picks[at]! % slots.length];
      const names = INPUTS[kind];
      prompt[id] = at(
        kind,
        kind === 'Num' ? { n } : Object.fromEntries(names.map((name, k) => [name, input(k)])),
      );
      slots.push([id, 0]);
      if (kind === 'Both') slots.push([id, 1]);
      if (shown || i === nodes.length - 1) prompt[`out${i}`] = at('Show', { value: [id, 0] });
    }
    return prompt;
  });

const caches: CacheChoice[] = [
  { kind: 'classic' },
  { kind: 'lru', size: 5 },
  { kind: 'none' },
  { kind: 'ram', headroomGiB: 1e6 },
];

function expected(prompt: ApiPrompt): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  const memo = new Map<string, unknown[][]>();
  for (const [id, node] of Object.entries(prompt)) {
    if (node.class_type !== 'Show') continue;
    const source = node.inputs['value'];
    if (!isApiLink(source)) continue;
    const values = evaluate(prompt, source[0], memo)[0]!.filter(
      (value) => !(value instanceof ExecutionBlocker),
    );
    if (values.length > 0) shown[id] = { values: values.map((value) => value ?? null) };
  }
  return shown;
}

describe('random graphs give what their meaning says', () => {
  test.each(caches)('$kind', async (cache) => {
    const bench = createBench(classes, cache);
    await fc.assert(
      fc.asyncProperty(graphs, graphs, async (one, other) => {
        // The second and third run meet what the cache kept of the ones before.
        for (const prompt of [one, other, one]) {
          const outcome = await bench.run(prompt);
          expect(outcome.status).toBe('success');
          expect({ ...outcome.outputs }).toEqual(expected(prompt));
        }
      }),
      { numRuns: 120 },
    );
  });
});
