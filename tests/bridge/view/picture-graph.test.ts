import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type PictureGraph, toPictureGraph } from '../../../bridge/view/picture-graph.ts';

type Nodes = Readonly<Record<string, readonly string[]>>;

/** A prompt graph from the ids that each node takes from. */
function promptOf(nodes: Nodes): string {
  const entries = Object.entries(nodes).map(([id, sources]) => {
    const inputs = Object.fromEntries(sources.map((from, index) => [`in${index}`, [from, 0]]));
    return [id, { class_type: `Class${id}`, inputs }];
  });
  return JSON.stringify(Object.fromEntries(entries));
}

function draw(nodes: Nodes, workflow?: string): PictureGraph {
  const carried = { prompt: promptOf(nodes), ...(workflow !== undefined && { workflow }) };
  const graph = toPictureGraph(carried, new Set(), () => {});
  if (!graph) throw new Error('expected a graph');
  return graph;
}

const spot = ({ nodes }: PictureGraph, id: string) => {
  const found = nodes.find((node) => node.id === id);
  if (!found) throw new Error(`no node ${id}`);
  return found;
};
const place = (id: number, pos: unknown) => ({ id, type: `Class${id}`, pos });

/** Pairs of nodes whose boxes touch. */
function overlaps({ nodes, nodeSize }: PictureGraph): string[] {
  return nodes.flatMap((a, index) =>
    nodes
      .slice(index + 1)
      .filter((b) => Math.abs(a.x - b.x) < nodeSize.width && Math.abs(a.y - b.y) < nodeSize.height)
      .map((b) => `${a.id} ${b.id}`),
  );
}

test('without a workflow each node stands right of what it takes from', () => {
  const graph = draw({ 1: [], 2: ['1'], 3: ['1', '2'], 4: [], 5: ['3', '4'] });
  expect(graph.placedBy).toBe('links');
  const columns = Object.groupBy(graph.nodes, ({ x }) => x);
  // By hand: 1, 2, 3 and 5 in a row; 4 feeds 5 alone, so it stands beside 3.
  expect(
    Object.values(columns).map((column) =>
      (column ?? [])
        .map(({ id }) => id)
        .toSorted()
        .join(' '),
    ),
  ).toEqual(['1', '2', '3 4', '5']);
  expect(graph.links).toEqual([
    { from: '1', to: '2' },
    { from: '1', to: '3' },
    { from: '2', to: '3' },
    { from: '3', to: '5' },
    { from: '4', to: '5' },
  ]);
});

test('with one, left and right and above and below are its own', () => {
  const nodes = [place(1, [900, 0]), place(2, [40, 500]), place(3, { 0: 60, 1: 10 }), place(4, [900, 4_000])];
  const graph = draw({ 1: ['2'], 2: [], 3: [], 4: ['3'] }, JSON.stringify({ nodes, links: [] }));
  expect(graph.placedBy).toBe('workflow');
  const [a, b, c, d] = ['1', '2', '3', '4'].map((id) => spot(graph, id));
  expect([b?.x, c?.x]).toEqual([0, 0]);
  expect(a?.x).toBe(d?.x);
  expect(a?.x).toBeGreaterThan(0);
  expect(c?.y).toBeLessThan(b?.y ?? 0);
  expect(a?.y).toBeLessThan(d?.y ?? 0);
});

test.each([
  ['a node without a place', { nodes: [place(1, [0, 0])] }],
  ['places that are none', { nodes: [place(1, [0, 0]), place(2, ['a', null])] }],
  ['places beyond counting', { nodes: [place(1, [0, 0]), place(2, [1e300, 0])] }],
  ['another document', [1, 2]],
])('%s: the links place all', (_, workflow) => {
  expect(draw({ 1: [], 2: ['1'] }, JSON.stringify(workflow)).placedBy).toBe('links');
});

test('a workflow that is no JSON places nothing', () => {
  expect(draw({ 1: [], 2: ['1'] }, '{"nodes":').placedBy).toBe('links');
});

test('a title is kept where it says more than the class', () => {
  const prompt = JSON.stringify({
    1: { class_type: 'A', inputs: {}, _meta: { title: 'Mine' } },
    2: { class_type: 'B', inputs: {}, _meta: { title: 'B' } },
    3: { class_type: 'C', inputs: {}, _meta: 7 },
  });
  const graph = toPictureGraph({ prompt }, new Set(), () => {});
  expect(graph?.nodes.map(({ title }) => title)).toEqual(['Mine', undefined, undefined]);
});

test('of a graph that no page could draw, the ways are drawn first, and the rest is counted', () => {
  const nodes = Object.fromEntries(Array.from({ length: 2_000 }, (_, id) => [`n${id}`, []]));
  const graph = toPictureGraph({ prompt: promptOf(nodes) }, new Set(['n1999', 'n1998']), () => {});
  expect(graph?.nodes.length).toBe(1_500);
  expect(graph?.leftOut).toBe(500);
  expect(graph?.nodes.map(({ id }) => id)).toEqual(expect.arrayContaining(['n1999', 'n1998']));
});

test('a picture without a prompt graph has none to draw', () => {
  expect(toPictureGraph({ workflow: '{"nodes":[]}' }, new Set(), () => {})).toBeUndefined();
});

const anyGraph = fc
  .array(fc.array(fc.nat({ max: 24 }), { maxLength: 4 }), { minLength: 1, maxLength: 25 })
  .map((sources) => sources.map((from) => from.map((id) => String(id % sources.length))));
const anyPosition = fc.tuple(
  fc.oneof(fc.integer({ min: -3_000, max: 3_000 }), fc.double({ noNaN: true, min: -1e15, max: 1e15 })),
  fc.oneof(fc.integer({ min: -3_000, max: 3_000 }), fc.double({ noNaN: true, min: -1e15, max: 1e15 })),
);

test('no two nodes share a place, and none is outside, circles included', () => {
  fc.assert(
    fc.property(
      anyGraph,
      fc.array(anyPosition, { minLength: 25, maxLength: 25 }),
      fc.boolean(),
      (sources, at, isPlaced) => {
        const nodes = Object.fromEntries(sources.entries());
        const workflow = JSON.stringify({ nodes: sources.map((_, id) => place(id, at[id])) });
        const graph = isPlaced ? draw(nodes, workflow) : draw(nodes);
        expect(graph.placedBy).toBe(isPlaced ? 'workflow' : 'links');
        expect(overlaps(graph)).toEqual([]);
        for (const { x, y } of graph.nodes) {
          expect(x).toBeGreaterThanOrEqual(0);
          expect(y).toBeGreaterThanOrEqual(0);
          expect(x + graph.nodeSize.width).toBeLessThanOrEqual(graph.width);
          expect(y + graph.nodeSize.height).toBeLessThanOrEqual(graph.height);
        }
        // Never more room than all nodes in one row or one column would take, and half of that again.
        expect(graph.width).toBeLessThanOrEqual(sources.length * 2 * graph.nodeSize.width);
        expect(graph.height).toBeLessThanOrEqual((2 * sources.length + 1) * 2 * graph.nodeSize.height);
      },
    ),
  );
});
