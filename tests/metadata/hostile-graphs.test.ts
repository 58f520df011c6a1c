import { expect, test } from 'vitest';
import { createEvaluator } from '../../nodes/metadata/evaluate.ts';
import { stepUpstream } from '../../nodes/metadata/flow.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { walk } from '../../nodes/metadata/walk.ts';
import { chain, codes, kSampler, learnGraph, node, type RawGraph, type RawNode, ruleBook } from './graphs.ts';

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

/** The sampler of a plain picture, with more nodes and other inputs. */
function picture(nodes: RawGraph, inputs: Readonly<Record<string, unknown>>): RawGraph {
  const graph = chain(kSampler('k', 20));
  return { ...graph, ...nodes, k: node('KSampler', { ...graph['k']?.inputs, ...inputs }) };
}

/** How many places a walk over everything upstream of `k` comes by. */
function countVisits(raw: RawGraph): number {
  const graph = parsePromptGraph(raw, () => {});
  const start = graph.get('k');
  if (!start) throw new Error('no node "k"');
  const evaluator = createEvaluator(graph, ruleBook);
  const context = { graph, book: ruleBook, evaluator, warn: () => {} };
  const visits = [...walk({ node: start, slot: 0, stream: 'latent' }, context, { follows: () => true })];
  return visits.reduce((sum, { arrival }) => sum + 1 + stepUpstream(arrival, context).length, 0);
}

const wide = (classType: string, prefix: string, from: string, count: number): RawNode =>
  node(classType, Object.fromEntries(range(count).map((i) => [`${prefix}${i}`, [from, i]])));

test.each([
  ['NobodyKnows', 'a'],
  ['Any Switch (rgthree)', 'any_'],
  ['ComfySwitchNode', 'on_'],
  ['Context Merge (rgthree)', 'ctx_'],
])(
  '%s asked for a hundred slots is passed as often as it has inputs, not a hundred times that',
  (of, prefix) => {
    const nodes = { x: wide('NobodyKnows', 'a', 'y', 100), y: wide(of, prefix, 'pos', 100) };
    expect(countVisits(picture(nodes, { positive: ['x', 0] }))).toBeLessThan(1500);
  },
);

test('a switch that is asked often sorts its inputs once', () => {
  const graph = new Map(
    parsePromptGraph(
      { pos: node('CLIPTextEncode'), y: wide('Any Switch (rgthree)', 'any_', 'pos', 9) },
      () => {},
    ),
  );
  const parsed = graph.get('y');
  const rule = ruleBook.get('Any Switch (rgthree)')?.rule;
  if (!parsed || !rule) throw new Error('no switch');
  let listings = 0;
  const links = new Map(parsed.links);
  links.keys = () => {
    listings++;
    return parsed.links.keys();
  };
  const counted = { ...parsed, links };
  graph.set('y', counted);
  const evaluator = createEvaluator(graph, ruleBook);
  for (const _ of range(50)) expect(evaluator.selected(counted, rule)).toBe('any_0');
  expect(listings).toBe(1);
});

test('bundles that fall back to two others each are searched once, not once for each sampler', () => {
  const count = 300;
  const merge = (i: number) =>
    node('Context Merge (rgthree)', { ctx_01: [`m${i + 1}`, 0], ctx_02: [`m${i + 2}`, 0] });
  const raw: Record<string, RawNode> = { m300: node('Context (rgthree)'), m301: node('Context (rgthree)') };
  for (const i of range(count)) raw[`m${i}`] = merge(i);
  const graph = parsePromptGraph(raw, () => {});
  let looks = 0;
  const book = new Map(ruleBook);
  book.get = (name) => {
    looks++;
    return ruleBook.get(name);
  };
  const evaluator = createEvaluator(graph, book);
  for (const asked of graph.values()) expect(evaluator.bundled(asked, 'seed')).toBeUndefined();
  expect(looks).toBeLessThan(count * 20);
});

test('a bundle on the way of an earlier search has the same answer as when it is asked first', () => {
  const merge = (a: string, b: string) => node('Context Merge (rgthree)', { ctx_01: [a, 0], ctx_02: [b, 0] });
  const raw = {
    top: merge('left', 'right'),
    left: merge('none', 'seven'),
    right: merge('none', 'nine'),
    none: node('Context (rgthree)'),
    seven: node('Context (rgthree)', { seed: 7 }),
    nine: node('Context (rgthree)', { seed: 9 }),
  };
  const graph = parsePromptGraph(raw, () => {});
  const ask = (ids: readonly string[]) => {
    const evaluator = createEvaluator(graph, ruleBook);
    return new Map(
      ids.map((id) => {
        const asked = graph.get(id);
        return [id, asked && evaluator.bundled(asked, 'seed')?.node.id];
      }),
    );
  };
  const ids = ['top', 'left', 'right', 'none'];
  // Merge prefers what comes last.
  const expected = { top: 'nine', left: 'seven', right: 'nine', none: undefined };
  expect(Object.fromEntries(ask(ids))).toEqual(expected);
  expect(Object.fromEntries(ask(ids.toReversed()))).toEqual(expected);
});

/** Texts of these nodes, each in an encoder, all combined. */
function combined(texts: readonly RawNode[]): RawGraph {
  const nodes: Record<string, RawNode> = {};
  for (const [i, text] of texts.entries()) {
    nodes[`s${i}`] = text;
    nodes[`e${i}`] = node('CLIPTextEncode', { text: [`s${i}`, 0], clip: ['ckpt', 1] });
    nodes[`c${i}`] = node('ConditioningCombine', {
      conditioning_1: [`e${i}`, 0],
      conditioning_2: [i + 1 < texts.length ? `c${i + 1}` : 'pos', 0],
    });
  }
  return picture(nodes, { positive: ['c0', 0] });
}

test('patterns of one graph share one budget: what is beyond stays unknown', () => {
  const regex = (i: number) =>
    node('RegexReplace', { string: 'a'.repeat(18_000), regex_pattern: `a*b${i}`, replace: '' });
  const { warnings } = learnGraph(combined(range(10).map(regex)));
  expect(warnings.filter(({ code }) => code === 'value/unresolved').map(({ where }) => where)).toEqual([
    'e6.text',
    'e7.text',
    'e8.text',
    'e9.text',
  ]);
});

test('texts of one graph share one budget, and a prompt has an end that is told', () => {
  const big = 'y'.repeat(250_000);
  const joined = (i: number) => node('StringConcatenate', { string_a: big, string_b: `${i}`, delimiter: '' });
  const { learnt, warnings } = learnGraph(combined(range(20).map(joined)));
  // 4 MiB are 16.8 texts; the one that goes over is still given.
  const unknown = warnings.filter(({ code }) => code === 'value/unresolved').map(({ where }) => where);
  expect(unknown).toEqual(['e17.text', 'e18.text', 'e19.text']);
  expect(warnings).toContainEqual({
    code: 'embed/dropped',
    message: 'the positive prompt is longer than 1048576 characters; what is beyond was left out',
    where: 'k',
  });
  // Compared in parts: a difference between whole prompts would print megabytes.
  const prompt = learnt.captures[0].positive;
  expect([...prompt.matchAll(/\d/g)].map(([digit]) => digit)).toEqual(['0', '1', '2', '3']);
  expect(prompt.length).toBeLessThanOrEqual(1_048_576);
});

test('an answer that was cut short by the depth is not kept for those who ask nearer by', () => {
  const raw: Record<string, RawNode> = { n0: node('PrimitiveString', { value: 'deep' }) };
  for (const i of range(300)) raw[`n${i + 1}`] = node('PrimitiveString', { value: [`n${i}`, 0] });
  const graph = parsePromptGraph(raw, () => {});
  const evaluator = createEvaluator(graph, ruleBook);
  const ask = (id: string) => {
    const asked = graph.get(id);
    return asked && evaluator.input(asked, 'value')?.value;
  };
  expect([ask('n300'), ask('n200'), ask('n1')]).toEqual([undefined, 'deep', 'deep']);
});

test('a text joined with itself beyond the depth ends soon', () => {
  const raw: Record<string, RawNode> = { n0: node('PrimitiveString', { value: '' }) };
  for (const i of range(300))
    raw[`n${i + 1}`] = node('StringConcatenate', {
      string_a: [`n${i}`, 0],
      string_b: [`n${i}`, 0],
      delimiter: '',
    });
  const graph = parsePromptGraph(raw, () => {});
  const asked = graph.get('n300');
  expect(asked && createEvaluator(graph, ruleBook).input(asked, 'string_a')).toBeUndefined();
});

test.each(['image_ref', 'ref_image', 'reference', 'style_image', 'mask', 'control_image'])(
  'a picture on %s of an unknown node only guides',
  (input) => {
    const main = chain(kSampler('k', 20));
    const graph = {
      ...main,
      other: node('KSampler', { ...main['k']?.inputs, steps: 50 }),
      seen: node('VAEDecode', { samples: ['other', 0], vae: ['ckpt', 2] }),
      match: node('ColorMatchOfNobody', { [input]: ['seen', 0], image_target: ['decode', 0] }),
      save: node('SaveImage', { filename_prefix: 'x', images: ['match', 0] }),
    };
    const { learnt, warnings } = learnGraph(graph);
    expect(learnt.primary?.nodeId).toBe('k');
    expect(
      warnings.filter(({ code }) => code === 'sampler/reference-only').map(({ where }) => where),
    ).toEqual(['other']);
  },
);

test.each([
  ['a prompt that is a dictionary', { pos: node('CLIPTextEncode', { text: { a: 1 } }) }, {}, 'pos.text'],
  ['a prompt that is a list', { pos: node('CLIPTextEncode', { text: ['a', 'b', 'c'] }) }, {}, 'pos.text'],
  [
    'a file that is a dictionary',
    { ckpt: node('CheckpointLoaderSimple', { ckpt_name: {} }) },
    {},
    'ckpt.ckpt_name',
  ],
  ['a text for conditioning', {}, { positive: 'hello' }, 'k.positive'],
  ['a text for a model', {}, { model: 'sdxl' }, 'k.model'],
])('%s is told once', (_, nodes, inputs, where) => {
  const { warnings } = learnGraph(picture(nodes, inputs));
  expect(warnings.map((each) => [each.code, each.where])).toEqual([['value/wrong-type', where]]);
});

test.each([[null], [''], ['None']])('%j in place of a link or a file says nothing', (nothing) => {
  const nodes = { ckpt: node('CheckpointLoaderSimple', { ckpt_name: nothing }) };
  expect(learnGraph(picture(nodes, { positive: nothing, model: nothing })).warnings).toEqual([]);
});

test('a number that is none is told once', () => {
  expect(codes(learnGraph(picture({}, { steps: 'twenty' })).warnings)).toEqual(['value/not-a-number']);
});
