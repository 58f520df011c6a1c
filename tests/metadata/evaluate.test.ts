import { describe, expect, test } from 'vitest';
import { createEvaluator, type ExecutedValues } from '../../nodes/metadata/evaluate.ts';
import { ExactNumber } from '../../nodes/metadata/exact-json.ts';
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

  test('a bundle hands out what it or one before it was given', () => {
    const graph = {
      first: node('Context (rgthree)', { seed: 5, cfg: 7 }),
      second: node('Context (rgthree)', { base_ctx: ['first', 0], cfg: 9 }),
      end: node('KSampler', { seed: ['second', 8], text: ['second', 8] }),
    };
    expect(evaluate(graph)?.value).toBe(5);
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
