import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { linkSteps } from '../../nodes/pipeline/graph.ts';
import { orderByNeeds } from '../../nodes/pipeline/order.ts';
import { readManifest } from '../../nodes/pipeline/read-manifest.ts';
import { ifStep } from './models.ts';

function link(...steps: object[]) {
  const { manifest, findings } = readManifest({ pipeline: { steps } });
  if (!manifest) throw new Error(JSON.stringify(findings));
  return linkSteps(manifest);
}
/** A merge of steps, and of files named `x.safetensors`. */
const merge = (id: string, ...refs: string[]): object => ({
  id,
  type: 'merge',
  models: refs.map((ref) => (ref.includes('.') ? { path: ref } : { step: ref })),
});
const told = (...steps: object[]): string[] =>
  link(...steps).findings.map(({ code, step, expected, got }) => `${code} ${step}: ${expected}; ${got}`);

describe('references', () => {
  test('dependencies are inferred, and a declared one that is not used is reported and kept', () => {
    const graph = link(merge('a', 'x.s'), merge('b', 'x.s'), {
      ...merge('c', 'b'),
      dependencies: ['a', 'b'],
    });
    expect(graph.needs.get('c')).toEqual(['b', 'a']);
    expect(graph.findings).toMatchObject([
      {
        level: 'warning',
        code: 'pipeline/unused-dependency',
        step: 'c',
        where: 'pipeline.steps[2].dependencies[0]',
        got: '"a"',
      },
    ]);
    expect(graph.order).toEqual(['a', 'b', 'c']);
  });

  test('order follows references, else the manifest', () => {
    expect(link(merge('z', 'a'), merge('b', 'x.s'), merge('a', 'x.s')).order).toEqual(['a', 'z', 'b']);
  });

  test('what a step is declared to wait for, the steps inside it wait for', () => {
    const parallel = { id: 'p', type: 'parallel', dependencies: ['late'], branches: [[merge('one', 'x.s')]] };
    expect(link(merge('x', 'one'), parallel, merge('late', 'x.s')).order).toEqual(['late', 'one', 'x', 'p']);
  });

  test.each([
    [
      'an unknown one',
      [merge('base', 'x.s'), merge('b', 'bsae')],
      'pipeline/unknown-step b: the id of a step, perhaps "base"; "bsae"',
    ],
    ['itself', [merge('a', 'a')], 'pipeline/self-reference a: another step; "a", itself'],
    [
      'the same id twice',
      [merge('a', 'x.s'), merge('a', 'x.s')],
      'pipeline/duplicate-id a: an id that no other step has; the id of pipeline.steps[0]',
    ],
    [
      'a circle, named whole',
      [merge('d', 'a'), merge('a', 'b'), merge('b', 'c'), merge('c', 'a')],
      'a -> b -> c -> a',
    ],
    [
      'a report for a model',
      [{ id: 'v', type: 'validate', model: { path: 'x' } }, merge('b', 'v')],
      'pipeline/no-result b: a step that makes a model; "v", a validate step',
    ],
    [
      'a step inside a loop',
      [{ id: 'l', type: 'loop', times: 2, steps: [merge('in', 'x.s')] }, merge('b', 'in')],
      'pipeline/hidden-step b: "l", the loop step around it; "in"',
    ],
    [
      'one branch from the other',
      [
        ifStep(
          'i',
          { model: { path: 'x' }, property: 'tensors', is: 1 },
          [merge('t', 'x.s')],
          [merge('e', 't')],
        ),
      ],
      'pipeline/hidden-step e: "i", the if step around it; "t"',
    ],
    [
      'a loop without a start',
      [{ id: 'l', type: 'loop', times: 2, steps: [merge('in', 'l')] }],
      'a "start" of loop "l"',
    ],
    [
      'an if that may give nothing',
      [
        ifStep('i', { model: { path: 'x' }, property: 'tensors', is: 1 }, [merge('t', 'x.s')]),
        merge('b', 'i'),
      ],
      '"i", an if step without else',
    ],
    [
      'a model asked for its score',
      [merge('a', 'x.s'), ifStep('i', { step: 'a', score: 's', is: 1 }, [merge('t', 'x.s')])],
      'pipeline/no-score i: a step that finds scores; "a", a merge step',
    ],
    [
      'an unknown dependency',
      [{ ...merge('a', 'x.s'), dependencies: ['q'] }],
      'pipeline/unknown-step a: the id of a step; "q"',
    ],
    [
      'what is around it as a dependency',
      [{ id: 'l', type: 'loop', times: 2, steps: [{ ...merge('in', 'x.s'), dependencies: ['l'] }] }],
      'pipeline/self-reference in',
    ],
  ])('%s', (_, steps, message) => {
    expect(told(...steps).join('\n')).toContain(message);
    expect(link(...steps).order).toEqual([]);
  });

  test('what is allowed: the round before, steps of parallel branches, scores inside', () => {
    const loop = {
      id: 'l',
      type: 'loop',
      times: 3,
      start: { path: 'x' },
      steps: [
        merge('in', 'l', 'x.s'),
        { id: 'v', type: 'validate', model: { step: 'in' } },
        merge('end', 'in'),
      ],
      until: { step: 'v', score: 's', at_least: 1 },
    };
    const parallel = { id: 'p', type: 'parallel', branches: [[merge('one', 'x.s')], [merge('two', 'one')]] };
    expect(told(loop, parallel, merge('b', 'l', 'two'))).toEqual([]);
  });

  test('a circle through a loop and a condition is found', () => {
    const loop = { id: 'l', type: 'loop', times: 2, steps: [merge('in', 'out')] };
    expect(told(loop, merge('out', 'l')).join()).toMatch(/l -> in -> out -> l|in -> out -> l -> in/);
    const branch = ifStep(
      'i',
      { model: { step: 'late' }, property: 'tensors', is: 1 },
      [merge('t', 'x.s')],
      [merge('e', 'x.s')],
    );
    expect(told(branch, merge('late', 'i')).join()).toContain('pipeline/cycle');
  });
});

/** A graph without circles: `needs[i]` are of the nodes that come before i in a hidden order. */
const dag = fc.integer({ min: 1, max: 1000 }).chain((size) =>
  fc.record({
    shuffle: fc.array(fc.nat(), { minLength: size, maxLength: size }),
    links: fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 3 * size }),
  }),
);

describe('order of random graphs of up to 1,000 steps', () => {
  test('every step once, and behind all that it needs; the same again', () => {
    fc.assert(
      fc.property(dag, ({ shuffle, links }) => {
        const ids = shuffle.map((_, index) => `s${index}`);
        const hidden = [...ids.keys()].sort((a, b) => (shuffle[a] ?? 0) - (shuffle[b] ?? 0) || a - b);
        const needs = new Map(ids.map((id) => [id, new Set<string>()]));
        for (const [a, b] of links) {
          const [from, to] = [Math.min(a, b), Math.max(a, b)].map((place) => `s${hidden[place]}`);
          if (from !== to) needs.get(to!)?.add(from!);
        }
        const steps = ids.map((id) =>
          merge(id, ...(needs.get(id) ?? []), ...(needs.get(id)?.size ? [] : ['x.s'])),
        );
        if (steps.some((step) => 'models' in step && Array.isArray(step.models) && step.models.length > 64))
          return;
        const graph = link(...steps);
        // The check is Kahn's counting, not the search that made the order.
        const open = new Map([...needs].map(([id, each]) => [id, each.size]));
        for (const id of graph.order) {
          expect(open.get(id)).toBe(0);
          open.delete(id);
          for (const [other, each] of needs) if (each.has(id)) open.set(other, (open.get(other) ?? 0) - 1);
        }
        expect(open.size).toBe(0);
        expect(link(...steps).order).toEqual(graph.order);
      }),
      { numRuns: 25 },
    );
  });

  test('one link back makes a circle, and the one that is named is one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 1000 }), fc.nat(), fc.nat(), (size, x, y) => {
        const [low, high] = [x % size, y % size].sort((a, b) => a - b);
        const needs = new Map(
          Array.from({ length: size }, (_, index) => [
            `${index}`,
            [...(index > 0 ? [`${index - 1}`] : []), ...(index === low && low !== high ? [`${high}`] : [])],
          ]),
        );
        const { cycle } = orderByNeeds(needs);
        if (low === high) {
          expect(cycle).toBeUndefined();
          return;
        }
        expect(cycle?.[0]).toBe(cycle?.at(-1));
        expect(new Set(cycle).size).toBe((cycle?.length ?? 0) - 1);
        cycle?.slice(1).forEach((id, index) => {
          expect(needs.get(cycle[index] ?? '')).toContain(id);
        });
      }),
      { numRuns: 50 },
    );
  });

  test('a chain of 100,000 costs no stack', () => {
    const needs = new Map(Array.from({ length: 100_000 }, (_, index) => [`${index}`, [`${index + 1}`]]));
    expect(orderByNeeds(needs).order?.[0]).toBe('99999');
  });
});
