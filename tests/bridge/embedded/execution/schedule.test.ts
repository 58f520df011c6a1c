import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSchedule } from '../../../../bridge/embedded/execution/schedule.ts';

type Graph = { needs: number[][]; outputs: Set<number>; asyncs: Set<number>; cached: Set<number> };

function viewOf({ needs, outputs, asyncs, cached }: Graph) {
  return {
    needs: (id: string) => needs[Number(id)]!.map(String),
    isOutput: (id: string) => outputs.has(Number(id)),
    isAsync: (id: string) => asyncs.has(Number(id)),
    isCached: (id: string) => cached.has(Number(id)),
    keep() {},
    onLink() {},
  };
}

/**
 * The order by its definition (reference 3): of the ready nodes, in the order they were added, the first that is an
 * output or async; else the first that feeds an output; else the first that feeds what feeds one; else the first.
 */
function orderByDefinition(graph: Graph): number[] {
  const pending: number[] = [];
  const add = (root: number) => {
    const stack = [root];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      if (pending.includes(id)) continue;
      pending.push(id);
      if (id === root && graph.cached.has(id)) continue;
      for (const from of graph.needs[id]!) if (!graph.cached.has(from)) stack.push(from);
    }
  };
  for (const id of graph.outputs) add(id);
  const walked = (id: number) => !graph.cached.has(id);
  const feeds = (id: number) => pending.filter((other) => walked(other) && graph.needs[other]!.includes(id));
  const order: number[] = [];
  while (pending.length > 0) {
    const ready = pending.filter(
      (id) => !walked(id) || !graph.needs[id]!.some((from) => pending.includes(from) && walked(from)),
    );
    const isOutput = (id: number) => graph.outputs.has(id);
    const next =
      ready.find((id) => isOutput(id) || graph.asyncs.has(id)) ??
      ready.find((id) => feeds(id).some(isOutput)) ??
      ready.find((id) => feeds(id).some((middle) => feeds(middle).some(isOutput))) ??
      ready[0]!;
    order.push(next);
    pending.splice(pending.indexOf(next), 1);
  }
  return order;
}

const graphs: fc.Arbitrary<Graph> = fc
  .array(
    fc.record({
      needs: fc.array(fc.integer({ min: 0, max: 999 }), { maxLength: 2 }),
      output: fc.integer({ min: 0, max: 5 }),
      later: fc.integer({ min: 0, max: 5 }),
      cached: fc.integer({ min: 0, max: 5 }),
    }),
    { minLength: 1, maxLength: 20, size: 'max' },
  )
  .map((nodes) => {
    const where = (holds: (node: (typeof nodes)[number]) => boolean) =>
      new Set(nodes.flatMap((node, i) => (holds(node) ? [i] : [])));
    return {
      needs: nodes.map((node, i) => (i === 0 ? [] : node.needs.map((pick) => pick % i))),
      outputs: where((node) => node.output === 0),
      asyncs: where((node) => node.later === 0),
      cached: where((node) => node.cached === 0),
    };
  });

test('picks in the order that the definition gives', () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const schedule = createSchedule(viewOf(graph));
      for (const id of graph.outputs) schedule.add(String(id));
      const order: number[] = [];
      for (let id = schedule.pick(); id !== undefined; id = schedule.pick()) {
        order.push(Number(id));
        schedule.complete(id);
      }
      expect(schedule.isEmpty()).toBe(true);
      expect(order).toEqual(orderByDefinition(graph));
    }),
    { numRuns: 2000 },
  );
});

test('a node that is put back comes up again when what it asked for is done', () => {
  const schedule = createSchedule(
    viewOf({ needs: [[], [], []], outputs: new Set([0]), asyncs: new Set(), cached: new Set() }),
  );
  schedule.add('0');
  expect(schedule.pick()).toBe('0');
  expect(schedule.pick()).toBeUndefined();
  schedule.link('1', '0');
  schedule.putBack('0');
  expect(schedule.pick()).toBe('1');
  schedule.complete('1');
  expect(schedule.pick()).toBe('0');
  schedule.putBack('0');
  expect(schedule.pick()).toBe('0');
});

test('a node that is held waits for its release; what is stuck are cycles and what hangs on them', () => {
  const schedule = createSchedule(
    viewOf({ needs: [[1], [2], [1], []], outputs: new Set([0, 3]), asyncs: new Set(), cached: new Set() }),
  );
  schedule.add('3');
  schedule.add('0');
  expect(schedule.pick()).toBe('3');
  const release = schedule.hold('3');
  schedule.putBack('3');
  expect(schedule.pick()).toBeUndefined();
  release();
  expect(schedule.pick()).toBe('3');
  schedule.complete('3');
  expect(schedule.pick()).toBeUndefined();
  expect(schedule.isEmpty()).toBe(false);
  expect(schedule.stuck()).toEqual(['0', '1', '2']);
});
