import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import { type ConvertedPrompt, convertWorkflow } from '../../nodes/workflow/convert-workflow.ts';
import { flattenWorkflow } from '../../nodes/workflow/flatten.ts';
import { parseWorkflow } from '../../nodes/workflow/parse-workflow.ts';
import { resolveDynamicPrompt } from '../../nodes/workflow/texts.ts';
import { caseDefinitions, readCases } from './cases.ts';

vi.setConfig({ testTimeout: 30_000 });
const definitions = caseDefinitions();
const workflows = readCases().map(({ workflow }) => JSON.parse(JSON.stringify(workflow)) as unknown);
/** Far more than any of these takes; a hang would be longer. */
const MILLISECONDS = 10_000;

/** The prompt, or the code of the error it ended in; anything else that is thrown fails the test. */
function attempt(workflow: unknown): ConvertedPrompt | string {
  const start = performance.now();
  try {
    return convertWorkflow(workflow, definitions, { texts: 'as-edited' }, () => {});
  } catch (error) {
    if (!isLineageError(error)) throw error;
    return error.code;
  } finally {
    expect(performance.now() - start).toBeLessThan(MILLISECONDS);
  }
}

const DEFINITIONS = ['11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'];
const TYPES = [
  ...['KSampler', 'CLIPTextEncode', 'LoraLoader', 'BatchImagesNode', 'ResizeImageMaskNode', 'Unknown'],
  ...['Reroute', 'PrimitiveNode', 'SetNode', 'GetNode', 'Note', 'workflow/Group', 'workflow>Group'],
  ...DEFINITIONS,
];
const SOCKETS = ['MODEL', 'CLIP', 'CONDITIONING', 'IMAGE', '*', 'IMAGE,MASK'];
const id = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 1, max: 8 }) },
  fc.constantFrom('1', 'a', -10, -20),
);
const link = fc.integer({ min: 1, max: 12 });
const slot = fc.record({
  name: fc.constantFrom('model', 'clip', 'text', 'seed', 'images.image0', 'resize_type.match', ''),
  type: fc.constantFrom(...SOCKETS),
  link: fc.option(link),
  widget: fc.option(fc.record({ name: fc.constantFrom('text', 'seed') }), { nil: undefined }),
});
const node = fc.record({
  id,
  type: fc.constantFrom(...TYPES),
  mode: fc.constantFrom(0, 0, 0, 2, 4),
  inputs: fc.array(slot, { maxLength: 4 }),
  outputs: fc.array(fc.record({ name: fc.constant(''), type: fc.constantFrom(...SOCKETS) }), {
    maxLength: 3,
  }),
  widgets_values: fc.option(
    fc.array(fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null)), { maxLength: 9 }),
    {
      nil: undefined,
    },
  ),
  properties: fc.option(
    fc.record({
      proxyWidgets: fc.array(
        fc.tuple(fc.constantFrom('-1', '1', '2'), fc.constantFrom('text', 'seed', '1: seed')),
        {
          maxLength: 3,
        },
      ),
    }),
    { nil: undefined },
  ),
});
const place = fc.integer({ min: -1, max: 3 });
const tuple = fc.tuple(link, id, place, id, place, fc.constantFrom(...SOCKETS));
const graph = fc.record({
  nodes: fc.array(node, { maxLength: 8 }),
  links: fc.array(tuple, { maxLength: 12 }),
});
const border = fc.array(
  fc.record({
    name: fc.constantFrom('model', 'text', 'seed'),
    type: fc.constantFrom(...SOCKETS),
    linkIds: fc.array(link, { maxLength: 2 }),
  }),
  { maxLength: 3 },
);
const workflow = fc
  .tuple(graph, graph, graph, border, border, graph)
  .map(([root, first, second, inputs, outputs, group]) => ({
    ...root,
    definitions: {
      subgraphs: [first, second].map((inner, at) => ({ ...inner, id: DEFINITIONS[at], inputs, outputs })),
    },
    extra: {
      groupNodes: {
        Group: {
          nodes: group.nodes,
          links: group.links.map(([, from, fromSlot, to, toSlot]) => [from, fromSlot, to, toSlot]),
          external: [[0, 0, '*']],
        },
      },
    },
  }));

describe('any graph', () => {
  test('ends in a prompt or an error of ours, and in the same again', () => {
    let prompts = 0;
    fc.assert(
      fc.property(workflow, (each) => {
        const first = attempt(each);
        if (typeof first !== 'string') prompts++;
        expect(attempt(structuredClone(each))).toEqual(first);
      }),
      { numRuns: 500 },
    );
    // A generator that makes only errors proves nothing.
    expect(prompts).toBeGreaterThan(50);
  });

  test('gives links only to nodes of the prompt, and no input twice', () => {
    fc.assert(
      fc.property(workflow, (each) => {
        const prompt = attempt(each);
        if (typeof prompt === 'string') return;
        for (const { inputs } of Object.values(prompt)) {
          for (const value of Object.values(inputs)) {
            if (Array.isArray(value)) expect(Object.keys(prompt)).toContain(value[0]);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('without subgraphs is flat already: the same nodes under the same ids', () => {
    fc.assert(
      fc.property(fc.array(node, { maxLength: 8 }), (list) => {
        const nodes = list.filter(({ type }) => !DEFINITIONS.includes(type) && !type.startsWith('workflow'));
        const parsed = parseWorkflow({ nodes, links: [] }, definitions, () => {});
        const flat = flattenWorkflow(parsed, definitions, () => {});
        expect(flat.nodes.map((each) => each.id)).toEqual([...parsed.nodes.keys()]);
        expect(flat.nodes.map((each) => each.node)).toEqual([...parsed.nodes.values()]);
        expect(flat.root.graph).toEqual(parsed);
      }),
    );
  });

  test('of nodes that run keeps each link as it is', () => {
    const chain = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 20 }).map((picks) => ({
      nodes: picks.map((_, at) => ({
        id: at,
        type: 'Plain',
        inputs: [{ name: 'from', type: 'IMAGE', link: at === 0 ? null : at }],
        outputs: [{ name: 'IMAGE', type: 'IMAGE' }],
      })),
      links: picks.flatMap((pick, at) => (at === 0 ? [] : [[at, pick % at, pick % 3, at, 0, 'IMAGE']])),
    }));
    fc.assert(
      fc.property(chain, (each) => {
        const prompt = attempt(each);
        for (const [number, from, fromSlot] of each.links) {
          expect(prompt).toHaveProperty([String(number), 'inputs', 'from'], [String(from), fromSlot]);
        }
      }),
    );
  });
});

/** Every place in a document, as the way to it. */
function placesIn(value: unknown, way: readonly (string | number)[] = []): (readonly (string | number)[])[] {
  if (Array.isArray(value)) return [way, ...value.flatMap((item, at) => placesIn(item, [...way, at]))];
  if (!isRecord(value)) return [way];
  return [way, ...Object.entries(value).flatMap(([key, item]) => placesIn(item, [...way, key]))];
}

/** A copy in which another value stands at the place; undefined takes it out. */
function replaceAt(value: unknown, [step, ...rest]: readonly (string | number)[], by: unknown): unknown {
  if (step === undefined) return by;
  if (Array.isArray(value)) return value.map((item, at) => (at === step ? replaceAt(item, rest, by) : item));
  if (!isRecord(value)) return value;
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    key === step ? replaceAt(item, rest, by) : item,
  ]);
  return Object.fromEntries(entries.filter(([, item]) => item !== undefined));
}

test('documents with other values in places end in a prompt or an error of ours', () => {
  const places = workflows.map((each) => placesIn(each));
  const other = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom<unknown>(undefined, -1, 1e308, '-10', '-20', '__proto__', [], {}, null, ...DEFINITIONS),
  );
  fc.assert(
    fc.property(
      fc.nat(workflows.length - 1),
      fc.array(fc.tuple(fc.nat(), other), { minLength: 1, maxLength: 4 }),
      (which, changes) => {
        const mutated = changes.reduce<unknown>((document, [pick, by]) => {
          const all = places[which] ?? [];
          return replaceAt(document, all[pick % all.length] ?? [], by);
        }, workflows[which]);
        attempt(mutated);
      },
    ),
    { numRuns: 1_500 },
  );
});

describe('what would cost without end', () => {
  const chainOf = (count: number, type: string, mode = 0) => ({
    nodes: [
      ...Array.from({ length: count }, (_, at) => ({
        ...{ id: at, type, mode },
        inputs: [{ name: '', type: '*', link: at + 1 }],
        outputs: [{ name: '', type: '*' }],
      })),
      ...Array.from({ length: count }, (_, at) => ({
        ...{ id: `end ${at}`, type: 'Plain' },
        inputs: [{ name: 'x', type: '*', link: count + 1 + at }],
        outputs: [],
      })),
    ],
    links: Array.from({ length: 2 * count }, (_, at) =>
      at < count ? [at + 1, at + 1, 0, at, 0, '*'] : [at + 1, 0, 0, `end ${at - count}`, 0, '*'],
    ),
  });

  test.each([
    ['reroutes', 'Reroute', 0],
    ['bypassed nodes', 'Plain', 4],
  ])(
    'many inputs behind a long chain of %s',
    (_, type, mode) => {
      expect(typeof attempt(chainOf(10_000, type, mode))).toBe('object');
    },
    2 * MILLISECONDS,
  );

  test('subgraphs that multiply, and one within itself', () => {
    const nest = (at: number) => ({
      ...{ id: `00000000-0000-4000-8000-0000000000${10 + at}`, links: [] },
      nodes: Array.from({ length: 10 }, (_, n) => ({
        id: n,
        type: at === 9 ? 'Plain' : `00000000-0000-4000-8000-0000000000${11 + at}`,
      })),
    });
    const subgraphs = Array.from({ length: 10 }, (_, at) => nest(at));
    const root = { nodes: [{ id: 1, type: subgraphs[0]?.id }], links: [], definitions: { subgraphs } };
    expect(attempt(root)).toBe('workflow/too-large');
    const [first] = subgraphs;
    const within = { ...first, nodes: [{ id: 1, type: first?.id }] };
    expect(attempt({ ...root, definitions: { subgraphs: [within] } })).toBe('workflow/recursive');
  });

  test('a text of braces alone', () => {
    const start = performance.now();
    resolveDynamicPrompt('{'.repeat(50_000));
    resolveDynamicPrompt('{|'.repeat(20_000));
    expect(performance.now() - start).toBeLessThan(MILLISECONDS);
  });
});

describe('texts with dynamic prompts', () => {
  test.each([
    ['a {b|c} d', 'a b d', true],
    ['{a|{b|c}} {d}', 'a d', true],
    ['{{a|b} c|d}', 'a c', true],
    ['\\{a|b\\}', '{a|b}', false],
    ['{a\\|b|c}', 'a|b', true],
    ['a // b\nc /* d\ne */ f', 'a \nc  f', false],
    ['a | b', 'a | b', false],
    ['a } b', 'a } b', false],
    ['{a', 'a', false],
  ])('%j', (text, expected, hasChosen) => {
    expect(resolveDynamicPrompt(text)).toEqual({ text: expected, hasChosen });
  });
});
