import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { ExactNumber, type Json, parseExactJson, stringifyAscii } from '../../nodes/kit/exact-json.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { compareNodeIds, type PromptGraph, parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { renderParameters } from '../../nodes/metadata/infotext.ts';
import { learn } from '../../nodes/metadata/learn.ts';
import { toParameters } from '../../nodes/metadata/parameters.ts';
import { toRecord } from '../../nodes/metadata/record.ts';
import { codes, node, ruleBook } from './graphs.ts';

const parse = (input: unknown): PromptGraph => parsePromptGraph(input, () => {});
/** One node's inputs, as a document gives them. */
const inputsOf = (text: string): { literals: Record<string, Json>; links: Record<string, unknown> } => {
  const graph = parse(parseExactJson(`{"1":{"class_type":"X","inputs":${text}}}`, () => {}));
  const found = graph.get('1');
  return {
    literals: Object.fromEntries(found?.literals ?? []),
    links: Object.fromEntries(found?.links ?? []),
  };
};

describe('parsePromptGraph', () => {
  test('keeps string ids, classes, literals and links with their slots, in order', () => {
    const graph = parse({
      '57:8': node('KSampler', { seed: 5, model: ['12.0.5', 2], latent_image: ['3', 0], cfg: 7.5 }),
      '12.0.5': { class_type: 'CheckpointLoaderSimple' },
    });
    expect([...graph.keys()]).toEqual(['57:8', '12.0.5']);
    const sampler = graph.get('57:8');
    expect(sampler?.classType).toBe('KSampler');
    expect([...(sampler?.links ?? [])]).toEqual([
      ['model', { from: '12.0.5', slot: 2 }],
      ['latent_image', { from: '3', slot: 0 }],
    ]);
    expect([...(sampler?.literals ?? [])]).toEqual([
      ['seed', 5],
      ['cfg', 7.5],
    ]);
    expect(graph.get('12.0.5')?.literals.size).toBe(0);
  });

  test.each([
    ['["4",1]', { from: '4', slot: 1 }],
    ['["4",1.0]', { from: '4', slot: 1 }],
    ['["__proto__",0]', { from: '__proto__', slot: 0 }],
  ])('%s is a link', (text, link) =>
    expect(inputsOf(`{"a":${text}}`)).toEqual({ literals: {}, links: { a: link } }),
  );

  test.each(['["4"]', '[4,1]', '["4","1"]', '["4",1,2]', '[["4",1]]', '[]', '{"from":"4"}', '[null,0]'])(
    '%s is data',
    (text) => expect(inputsOf(`{"a":${text}}`)).toEqual({ literals: { a: JSON.parse(text) }, links: {} }),
  );

  test('takes __value__ wrappers off, nested ones too', () => {
    const { literals, links } = inputsOf(
      '{"a":{"__value__":["4",1]},"b":[{"__value__":8.0}],"c":{"d":{"__value__":"x","__type__":"y"}}}',
    );
    expect(links).toEqual({});
    expect(stringifyAscii(literals)).toBe('{"a":["4",1],"b":[8.0],"c":{"d":"x"}}');
  });

  test('keeps 64-bit seeds, 8.0 and keys such as __proto__ through lists and dictionaries', () => {
    const text = '{"s":18446744073709551615,"c":8.0,"l":[[1.0,{"__proto__":{"x":2.50}}]],"t":true,"n":null}';
    expect(stringifyAscii(inputsOf(text).literals)).toBe(text);
    expect(Object.getPrototypeOf(inputsOf(text).literals)).toBe(Object.prototype);
  });

  test('a node named __proto__ or constructor is a node', () => {
    const graph = parse(JSON.parse('{"__proto__":{"class_type":"A"},"constructor":{"class_type":"B"}}'));
    expect([...graph.values()].map(({ classType }) => classType)).toEqual(['A', 'B']);
  });

  test('values that JSON does not know: bigints stay exact, the rest becomes null', () => {
    const graph = parse({
      '1': node('X', { seed: 2n ** 64n, nan: Number.NaN, f: () => 1, u: undefined }),
    });
    const { literals } = graph.get('1') ?? {};
    expect(literals?.get('seed')).toEqual(new ExactNumber('18446744073709551616'));
    expect([literals?.get('nan'), literals?.get('f'), literals?.get('u')]).toEqual([null, null, null]);
  });

  test('reads the graph of a queue request', () => {
    const graph = { '1': node('SaveImage') };
    expect(parse({ prompt: graph, client_id: 'x', extra_data: {} })).toEqual(parse(graph));
  });

  test('entries that are no nodes are left out, each with a warning', () => {
    const { warn, list } = createWarningLog();
    const graph = parsePromptGraph(
      { a: node('X'), b: null, c: [1], d: { class_type: 3 }, e: { class_type: 'Y', inputs: [1] }, f: {} },
      warn,
    );
    expect([...graph.keys()]).toEqual(['a']);
    expect(codes(list)).toEqual(Array(5).fill('graph/malformed-node'));
    expect(list.map(({ where }) => where)).toEqual(['b', 'c', 'd', 'e', 'f']);
  });

  test.each([
    [null, 'null'],
    [7, 'number'],
    ['{}', 'string'],
    [[], 'a list of 0'],
    [{}, 'an object with keys []'],
    [{ a: 1 }, 'an object with keys ["a"]'],
    [{ nodes: [], links: [] }, 'a workflow in the editor format'],
  ])('%j is no prompt graph', (input, got) => {
    try {
      parse(input);
      expect.unreachable();
    } catch (error) {
      if (!isLineageError(error, 'graph/malformed')) throw error;
      expect(error.message).toContain(`got ${got}`);
    }
  });
});

/** Class types of every kind of rule, with inputs of every kind of value. */
const anyJson = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.constantFrom('None', 'embedding:x', '1e999', '-1', '10000', 'true', '768 x 512', 'a.safetensors'),
    fc.integer(),
    fc.double(),
    fc.constantFrom(Number.NaN, 1e300, -1, 10_000, 2n ** 64n, undefined),
    fc.boolean(),
    fc.constant(null),
    fc.tuple(fc.constantFrom('0', '1', '2', '3', '4', '99'), fc.integer({ min: -1, max: 3 })),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.constantFrom('__value__', '__proto__', 'on', 'lora', 'strength', 'content', 'x'),
      tie('value'),
      { maxKeys: 4 },
    ),
  ),
})).value;
const classTypes = [...ruleBook.keys(), 'NobodyKnowsThis', '__proto__', 'constructor'];
const inputNames = [
  ...new Set(
    [...ruleBook.values()].flatMap(({ rule }) => [
      ...Object.keys(rule.takes ?? {}),
      ...Object.values(rule.reads ?? {}).flatMap(
        (pick) => JSON.stringify(pick).match(/(?<="input":")[^"]+/g) ?? [],
      ),
    ]),
  ),
  'lora_1',
  'base_ctx',
  'any_01',
  'any_02',
  'switch',
];
const anyNode = fc.record({
  class_type: fc.constantFrom(...classTypes),
  inputs: fc.dictionary(fc.constantFrom(...inputNames), anyJson, { maxKeys: 8 }),
});
/** Up to five nodes wired at random, cycles and dangling links included; traced from `0`. */
const anyGraph = fc
  .array(anyNode, { minLength: 1, maxLength: 5 })
  .map((nodes) => Object.fromEntries(nodes.map((each, id) => [String(id), each])));

describe('any input', () => {
  test('parses, or is refused with a typed error', () => {
    const input = fc.oneof(anyJson, anyGraph, fc.dictionary(fc.string(), anyJson), fc.anything());
    fc.assert(
      fc.property(input, (value) => {
        try {
          expect(parse(value).size).toBeGreaterThan(0);
        } catch (error) {
          if (!isLineageError(error, 'graph/malformed')) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  test('no graph of known nodes and odd values stops the way to the text and the record', () => {
    fc.assert(
      fc.property(anyGraph, (raw) => {
        const { warn } = createWarningLog();
        const learnt = learn(
          parsePromptGraph(raw, warn),
          '0',
          ruleBook,
          { select: 'range', maxSamplers: 4 },
          warn,
        );
        const text = renderParameters(toParameters(learnt, new Map(), {}, warn));
        expect(text).not.toMatch(/: (None|N\/A|null|undefined|NaN|Infinity)(,|$)/m);
        expect(stringifyAscii(toRecord(learnt, new Map(), { generator: 'x' }))).not.toMatch(
          /:(null|NaN),"rangeLen/,
        );
      }),
      { numRuns: 1000 },
    );
  });
});

describe('compareNodeIds', () => {
  test('orders by parts, numbers as numbers, an id before its expansions, names behind numbers', () => {
    const sorted = [
      '7',
      '9',
      '9.0.1',
      '10',
      '54:62:174',
      '54:62:1000',
      '57',
      '57:8',
      '57:10',
      '57:a',
      'a',
      'b:1',
    ];
    expect([...sorted].reverse().sort(compareNodeIds)).toEqual(sorted);
    expect(compareNodeIds('18446744073709551616', '18446744073709551615')).toBe(1);
    expect(compareNodeIds('7', '007:1')).toBeLessThan(0);
  });

  test('is a total order', () => {
    const id = fc.oneof(fc.stringMatching(/^[0-9a:.]{1,6}$/), fc.string());
    fc.assert(
      fc.property(id, id, id, (a, b, c) => {
        expect(Math.sign(compareNodeIds(a, b))).toBe(-Math.sign(compareNodeIds(b, a)) + 0);
        expect(compareNodeIds(a, b) === 0).toBe(a === b);
        if (compareNodeIds(a, b) < 0 && compareNodeIds(b, c) < 0)
          expect(compareNodeIds(a, c)).toBeLessThan(0);
      }),
      { numRuns: 1000 },
    );
  });
});
