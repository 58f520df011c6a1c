import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { type PromptGraph, parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { learn } from '../../nodes/metadata/learn.ts';
import { pathToStart, traceUpstream } from '../../nodes/metadata/trace.ts';
import { chain, codes, kSampler, node, type RawGraph, ruleBook } from './graphs.ts';

type Edge = { readonly user: string; readonly input: string; readonly source: string };

/** Wirings at random: cycles, links to oneself, several links between two nodes, links to nodes that are not there. */
const wiring = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc.array(fc.array(fc.integer({ min: 0, max: size + 1 }), { maxLength: 4 }), {
    minLength: size,
    maxLength: size,
  }),
);

function toGraph(wires: readonly (readonly number[])[]): PromptGraph {
  const raw: Record<string, unknown> = {};
  for (const [id, sources] of wires.entries()) {
    const inputs = Object.fromEntries(sources.map((source, i) => [`in${i}`, [String(source), i]]));
    raw[id] = node('Any', { ...inputs, text: 'x' });
  }
  return parsePromptGraph(raw, () => {});
}

/** Some links carry nothing, by a rule of its own. */
const liveness = fc.func(fc.boolean());

function edgesOf(wires: readonly (readonly number[])[], live: (edge: string) => boolean): Edge[] {
  return wires.flatMap((sources, id) =>
    sources
      .map((source, i) => ({ user: String(id), input: `in${i}`, source: String(source) }))
      .filter(({ user, input }) => live(`${user}.${input}`)),
  );
}

/** Distances from `0` by relaxing every edge until nothing changes: slow, and not how the tracer does it. */
function distancesOf(edges: readonly Edge[], size: number): Map<string, number> {
  const distances = new Map([['0', 0]]);
  for (let round = 0; round < size; round++) {
    for (const { user, source } of edges) {
      const below = distances.get(user);
      if (below === undefined || Number(source) >= size) continue;
      if (below + 1 < (distances.get(source) ?? Number.POSITIVE_INFINITY)) distances.set(source, below + 1);
    }
  }
  return distances;
}

describe('traceUpstream', () => {
  test('finds every node that can influence the start, once, at its distance', () => {
    fc.assert(
      fc.property(wiring, liveness, (wires, live) => {
        const graph = toGraph(wires);
        const trace = traceUpstream(
          graph,
          '0',
          (user, input) => live(`${user.id}.${input}`),
          () => {},
        );
        const expected = distancesOf(edgesOf(wires, live), wires.length);
        const found = new Map([...trace.steps].map(([id, step]) => [id, step.distance]));
        expect(found).toEqual(expected);
        const distances = [...found.values()];
        expect(distances).toEqual([...distances].sort((a, b) => a - b));
        for (const [id, step] of trace.steps) expect(step.node).toBe(graph.get(id));
      }),
      { numRuns: 300 },
    );
  });

  test('looks at every live link of those nodes once, and tells of each that dangles', () => {
    fc.assert(
      fc.property(wiring, liveness, (wires, live) => {
        const asked: string[] = [];
        const { warn, list } = createWarningLog();
        const isLive = (user: { id: string }, input: string): boolean => {
          asked.push(`${user.id}.${input}`);
          return live(`${user.id}.${input}`);
        };
        const trace = traceUpstream(toGraph(wires), '0', isLive, warn);
        const reached = new Set(trace.steps.keys());
        const all = edgesOf(wires, () => true).filter(({ user }) => reached.has(user));
        expect(asked.sort()).toEqual(all.map(({ user, input }) => `${user}.${input}`).sort());
        const dangling = edgesOf(wires, live).filter(
          ({ user, source }) => reached.has(user) && Number(source) >= wires.length,
        );
        const byPlace = (a: Edge, b: Edge) => (`${a.user}.${a.input}` < `${b.user}.${b.input}` ? -1 : 1);
        const told = trace.dangling.map(({ nodeId, input, to }) => ({ user: nodeId, input, source: to }));
        expect(told.sort(byPlace)).toEqual(dangling.sort(byPlace));
        expect(
          list
            .filter(({ code }) => code === 'graph/dangling-link')
            .map(({ where }) => where)
            .sort(),
        ).toEqual(dangling.map(({ user, input }) => `${user}.${input}`).sort());
      }),
      { numRuns: 300 },
    );
  });

  test('the way down takes one live link a step and ends at the start', () => {
    fc.assert(
      fc.property(wiring, liveness, (wires, live) => {
        const edges = edgesOf(wires, live);
        const { steps } = traceUpstream(
          toGraph(wires),
          '0',
          (user, input) => live(`${user.id}.${input}`),
          () => {},
        );
        for (const step of steps.values()) {
          const path = pathToStart(step);
          expect(path).toHaveLength(step.distance + 1);
          expect(path.at(-1)).toBe('0');
          for (const [i, user] of path.slice(1).entries())
            expect(edges.some((edge) => edge.user === user && edge.source === path[i])).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  test('warns of a circle exactly where there is one, and names a real one', () => {
    fc.assert(
      fc.property(wiring, (wires) => {
        const { warn, list } = createWarningLog();
        const { steps } = traceUpstream(toGraph(wires), '0', () => true, warn);
        const edges = edgesOf(wires, () => true).filter(
          ({ user, source }) => steps.has(user) && steps.has(source),
        );
        // Kahn: take nodes off that no other needs; what stays lies on or above a circle.
        let left = new Set(steps.keys());
        for (;;) {
          const needed = new Set(edges.filter(({ user }) => left.has(user)).map(({ source }) => source));
          const next = new Set([...left].filter((id) => needed.has(id)));
          if (next.size === left.size) break;
          left = next;
        }
        const cycles = list.filter(({ code }) => code === 'graph/cycle');
        expect(cycles).toHaveLength(left.size > 0 ? 1 : 0);
        for (const { message, where } of cycles) {
          const ids = message.replace('the links run in a circle: ', '').split(' -> ');
          expect(ids[0]).toBe(ids.at(-1));
          expect(where).toBe(ids[0]);
          for (const [i, source] of ids.slice(1).entries())
            expect(edges.some((edge) => edge.user === ids[i] && edge.source === source)).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a start that is not there is an error', () => {
    try {
      traceUpstream(
        toGraph([[0]]),
        '7',
        () => true,
        () => {},
      );
      expect.unreachable();
    } catch (error) {
      if (!isLineageError(error, 'graph/unknown-node')) throw error;
      expect(error.where).toEqual({ node: '7' });
    }
  });
});

describe('work grows with the graph and no faster', () => {
  /** How often a rule is looked up while a graph is traced, captured and described. */
  function lookUps(graph: RawGraph): number {
    let count = 0;
    const counting = new Map(ruleBook);
    counting.get = (key) => {
      count++;
      return Map.prototype.get.call(counting, key);
    };
    const { warn, list } = createWarningLog();
    learn(parsePromptGraph(graph, warn), 'save', counting, { select: 'range', maxSamplers: 4 }, warn);
    expect(codes(list).filter((code) => code !== 'sampler/capped')).toEqual([]);
    return count;
  }

  /** Each LoRA takes model and clip of the one before: 2^n ways through n nodes. */
  function loras(count: number): RawGraph {
    const graph: Record<string, ReturnType<typeof node>> = { ...chain(kSampler('k', 10)) };
    for (let i = 0; i < count; i++) {
      const before = i === 0 ? 'ckpt' : `l${i - 1}`;
      graph[`l${i}`] = node('LoraLoader', {
        lora_name: `l${i}.safetensors`,
        strength_model: 1,
        strength_clip: 1,
        model: [before, 0],
        clip: [before, 1],
      });
    }
    const last = `l${count - 1}`;
    graph['k'] = node('KSampler', { ...graph['k']?.inputs, model: [last, 0] });
    graph['pos'] = node('CLIPTextEncode', { text: 'a', clip: [last, 1] });
    return graph;
  }

  function combined(count: number): RawGraph {
    const graph: Record<string, ReturnType<typeof node>> = { ...chain(kSampler('k', 10)) };
    for (let i = 0; i < count; i++) {
      const before = i === 0 ? 'pos' : `c${i - 1}`;
      graph[`c${i}`] = node('ConditioningCombine', {
        conditioning_1: [before, 0],
        conditioning_2: [before, 0],
      });
    }
    graph['k'] = node('KSampler', { ...graph['k']?.inputs, positive: [`c${count - 1}`, 0] });
    return graph;
  }

  function joined(count: number): RawGraph {
    const graph: Record<string, ReturnType<typeof node>> = { ...chain(kSampler('k', 10)) };
    graph['s0'] = node('PrimitiveString', { value: '' });
    for (let i = 1; i < count; i++)
      graph[`s${i}`] = node('StringConcatenate', {
        string_a: [`s${i - 1}`, 0],
        string_b: [`s${i - 1}`, 0],
        delimiter: '',
      });
    graph['pos'] = node('CLIPTextEncode', { text: [`s${count - 1}`, 0], clip: ['ckpt', 1] });
    return graph;
  }

  test.each([
    ['LoRA loaders that take model and clip of each other', loras, 200],
    ['combiners that take one text twice', combined, 200],
    ['texts joined with themselves', joined, 100],
  ])('%s', (_what, make, size) => {
    const [small, large] = [lookUps(make(size)), lookUps(make(2 * size))];
    expect(large / small).toBeLessThan(2.1);
    expect(large).toBeLessThan(2 * size * 40);
  });
});
