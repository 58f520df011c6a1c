import { describe, expect, test } from 'vitest';
import { ExactNumber } from '../../nodes/kit/exact-json.ts';
import { createEvaluator, type ExecutedValues } from '../../nodes/metadata/evaluate.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { learnGraph, node, type RawGraph, ruleBook } from './graphs.ts';

/** The value of `end.text`, and the nodes it came through. */
function evaluate(raw: RawGraph, executed?: ExecutedValues) {
  const graph = parsePromptGraph(raw, () => {});
  const end = graph.get('end');
  if (!end) throw new Error('no node "end"');
  return createEvaluator(graph, ruleBook, executed).input(end, 'text');
}

const end = (from: string, slot = 0) => node('CLIPTextEncode', { text: [from, slot] });
const text = (value: unknown) => node('PrimitiveString', { value });
const join = (a: unknown, b: unknown) =>
  node('StringConcatenate', { string_a: a, string_b: b, delimiter: ' ' });

describe('static values', () => {
  test('a literal', () => {
    expect(evaluate({ end: node('CLIPTextEncode', { text: 'cat' }) })).toEqual({ value: 'cat', through: [] });
  });

  test('through primitives and string nodes, origin first', () => {
    const graph = { a: text('a'), b: text('b'), ab: join(['a', 0], ['b', 0]), end: end('ab') };
    expect(evaluate(graph)).toEqual({ value: 'a b', through: ['a', 'b', 'ab'] });
  });

  test('keeps the spelling of numbers', () => {
    const graph = { a: node('PrimitiveFloat', { value: new ExactNumber('8.0') }), end: end('a') };
    expect(evaluate(graph)?.value).toEqual(new ExactNumber('8.0'));
  });

  test.each([
    [true, 'yes'],
    [false, 'no'],
  ])('a switch hands on the branch it chooses: %s', (on, expected) => {
    const sw = node('ComfySwitchNode', { switch: on, on_true: ['yes', 0], on_false: ['no', 0] });
    const graph = { yes: text('yes'), no: text('no'), sw, end: end('sw') };
    expect(evaluate(graph)?.value).toBe(expected);
    const linked = node('ComfySwitchNode', { ...sw.inputs, switch: ['flag', 0] });
    expect(evaluate({ ...graph, flag: node('PrimitiveBoolean', { value: on }), sw: linked })?.value).toBe(
      expected,
    );
  });

  // nodes_string.py: case_insensitive is True where a graph leaves it out, multiline and dotall are False.
  test.each([
    [{}, 'xx-x'],
    [{ case_insensitive: false }, 'xA-x'],
    [{ count: 1 }, 'xA-a'],
  ])('a pattern with the flags %j of a graph', (flags, expected) => {
    const odd = node('RegexReplace', { string: 'aA-a', regex_pattern: 'a', replace: 'x', ...flags });
    expect(evaluate({ odd, end: end('odd') })?.value).toBe(expected);
  });

  test('a bundle hands out what it or one before it was given', () => {
    const graph = {
      first: node('Context (rgthree)', { seed: 5, cfg: 7 }),
      second: node('Context (rgthree)', { base_ctx: ['first', 0], cfg: 9 }),
      end: node('KSampler', { seed: ['second', 8], text: ['second', 8] }),
    };
    expect(evaluate(graph)?.value).toBe(5);
  });

  const context = (inputs = {}) => node('Context (rgthree)', inputs);
  const anySwitch = (inputs: Readonly<Record<string, unknown>>) => node('Any Switch (rgthree)', inputs);

  test('numbered inputs stand in the order of their numbers', () => {
    const graph = { a: text('tenth'), b: text('second') };
    const first = anySwitch({ any_10: ['a', 0], any_2: ['b', 0] });
    expect(evaluate({ ...graph, first, end: end('first') })?.value).toBe('second');
    const bundles = { ten: context({ seed: 10 }), two: context({ seed: 2 }) };
    const inputs = { ctx_10: ['ten', 0], ctx_2: ['two', 0] };
    const merged = node('Context Merge (rgthree)', inputs);
    expect(evaluate({ ...bundles, merged, end: end('merged', 8) })?.value).toBe(10);
    const chosen = node('Context Switch (rgthree)', inputs);
    expect(evaluate({ ...bundles, chosen, end: end('chosen', 8) })?.value).toBe(2);
  });

  // rgthree's any_switch.py and context_utils.py pass over None and a context in which all is None; '' is our own word.
  test.each<[string, RawGraph, unknown]>([
    ['null', {}, null],
    ['an empty text', {}, ''],
    ['a bundle without that key', { c: context({ vae: ['some', 0] }) }, ['c', 8]],
    [
      'a key of a bundle that nobody set, farther up',
      { c: context({ base_ctx: ['b', 0] }), b: context() },
      ['c', 8],
    ],
    ['an empty bundle', { c: context({ base_ctx: ['b', 0], seed: null }), b: context() }, ['c', 0]],
    ['a bundle of nothing but nothing', { c: context({ model: ['b', 1] }), b: context() }, ['c', 0]],
    ['a switch without inputs', { c: anySwitch({}) }, ['c', 0]],
    ['a switch of nothing', { c: anySwitch({ any_01: ['b', 1] }), b: context() }, ['c', 0]],
    [
      'a branch that is not there',
      { c: node('ComfySwitchNode', { switch: true, on_false: ['b', 0] }), b: text('b') },
      ['c', 0],
    ],
    [
      'a circle of bundles',
      { c: context({ base_ctx: ['b', 0] }), b: context({ base_ctx: ['c', 0] }) },
      ['c', 0],
    ],
    [
      'a key that the chosen bundle lacks',
      {
        c: node('Context Switch (rgthree)', { ctx_01: ['b', 0], ctx_02: ['d', 0] }),
        b: context({ vae: ['some', 0] }),
        d: context({ seed: 1 }),
      },
      ['c', 8],
    ],
  ])('the first of several passes over %s', (_what, graph, nothing) => {
    const some = { some: text('some'), first: anySwitch({ any_01: nothing, any_02: ['some', 0] }) };
    expect(evaluate({ ...graph, ...some, end: end('first') })?.value).toBe('some');
  });

  test.each<[string, RawGraph, unknown]>([
    ['a literal', {}, 'some'],
    ['a link', { c: text('some') }, ['c', 0]],
    [
      'a key that a bundle farther up has',
      { c: context({ base_ctx: ['b', 0] }), b: context({ seed: 'some' }) },
      ['c', 8],
    ],
    ['the second input of a switch', { c: anySwitch({ any_01: null, any_02: 'some' }) }, ['c', 0]],
    [
      'the first bundle that has anything',
      {
        c: node('Context Switch (rgthree)', { ctx_01: ['b', 0], ctx_02: ['d', 0] }),
        b: context(),
        d: context({ seed: 'some' }),
      },
      ['c', 8],
    ],
  ])('the first of several may be %s', (_what, graph, something) => {
    const first = anySwitch({ any_01: something, any_02: ['other', 0] });
    expect(evaluate({ ...graph, other: text('other'), first, end: end('first') })?.value).toBe('some');
  });

  test('what only a run knows counts as a value', () => {
    const graph = { odd: node('NobodyKnowsThis'), some: text('some') };
    const first = anySwitch({ any_01: ['odd', 0], any_02: ['some', 0] });
    expect(evaluate({ ...graph, first, end: end('first') })).toBeUndefined();
    const ran: ExecutedValues = (id) => (id === 'c' ? 'ran' : undefined);
    const empty = anySwitch({ any_01: ['c', 8], any_02: ['some', 0] });
    expect(evaluate({ ...graph, c: context(), first: empty, end: end('first') }, ran)?.value).toBe('ran');
  });

  test.each([
    ['a node that no rule knows', { odd: node('NobodyKnowsThis', { value: 'x' }), end: end('odd') }],
    ['a node that only a run can answer', { odd: node('RegexMatch', { string: 'x' }), end: end('odd') }],
    ['a link that dangles', { end: end('gone') }],
    ['an output that the node does not have', { a: text('a'), end: end('a', 7) }],
    ['a part that is unknown', { odd: node('NobodyKnowsThis'), ab: join('a', ['odd', 0]), end: end('ab') }],
    ['a circle', { a: join(['b', 0], 'x'), b: join(['a', 0], 'y'), end: end('a') }],
  ])('unknown: %s', (_what, graph) => expect(evaluate(graph)).toBeUndefined());

  test('a text that doubles at every node ends as unknown, soon', () => {
    const graph: Record<string, ReturnType<typeof node>> = { s0: text('a'), end: end('s200') };
    for (let i = 1; i <= 200; i++) graph[`s${i}`] = join([`s${i - 1}`, 0], [`s${i - 1}`, 0]);
    const started = performance.now();
    expect(evaluate(graph)).toBeUndefined();
    expect(evaluate({ ...graph, end: end('s8') })?.value).toBe(Array(256).fill('a').join(' '));
    expect(evaluate({ ...graph, end: end('s8') })?.through).toHaveLength(9);
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test.each([
    ['texts', (i: number) => ({ [`n${i}`]: join([`n${i - 1}`, 0], 'x') })],
    [
      'bundles behind switches that bundles choose',
      (i: number) => ({
        [`s${i}`]: node('ComfySwitchNode', {
          switch: [`n${i - 1}`, 8],
          on_true: [`n${i - 1}`, 0],
          on_false: [`n${i - 1}`, 0],
        }),
        [`n${i}`]: node('Context (rgthree)', { base_ctx: [`s${i}`, 0] }),
      }),
    ],
    ['switches', (i: number) => ({ [`n${i}`]: node('Any Switch (rgthree)', { any_01: [`n${i - 1}`, 8] }) })],
    [
      'switches between bundles',
      (i: number) => ({
        [`s${i}`]: node('Context Switch (rgthree)', { ctx_01: ['empty', 0], ctx_02: [`n${i - 1}`, 0] }),
        [`n${i}`]: node('Context (rgthree)', { base_ctx: [`s${i}`, 0], model: [`s${i}`, 1] }),
      }),
    ],
  ])('a chain of thousands of %s does not overflow the stack', (_what, make) => {
    const graph: Record<string, ReturnType<typeof node>> = { n0: node('Context (rgthree)', { seed: true }) };
    for (let i = 1; i <= 5000; i++) Object.assign(graph, make(i));
    expect(evaluate({ ...graph, end: end('n5000', 8) })).toBeUndefined();
    expect(() => learnGraph({ ...graph, save: node('SaveImage', { images: ['n5000', 8] }) })).not.toThrow();
  });
});

describe('values of a run', () => {
  const graph = {
    odd: node('NobodyKnowsThis'),
    a: text('static'),
    ab: join(['a', 0], ['odd', 2]),
    end: end('ab'),
  };

  test('win over the static answer and fill what it lacks', () => {
    const asked: string[] = [];
    const found = evaluate(graph, (id, slot) => {
      asked.push(`${id}.${slot}`);
      return { odd: 'ran', a: 'dynamic' }[id];
    });
    expect(found).toEqual({ value: 'dynamic ran', through: ['a', 'odd', 'ab'] });
    expect(asked).toEqual(['ab.0', 'a.0', 'odd.2']);
  });

  test.each([undefined, null, {}, ['x'], Number.NaN, 5n, () => 'x'])('%o is no value to take', (value) =>
    expect(evaluate(graph, (id) => (id === 'odd' ? value : undefined))).toBeUndefined(),
  );
});
