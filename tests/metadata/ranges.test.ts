import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chain, kSampler, learnGraph, node, type RawGraph, ruled } from './graphs.ts';

/**
 * What runs, by doing it: sigmas are a list that the nodes slice as Python does, and a step lies between two of
 * them. Read in ComfyUI's comfy_extras/nodes_custom_sampler.py and comfy/samplers.py (KSampler.sample).
 */
type Cut =
  | { readonly kind: 'split'; readonly step: number; readonly slot: 0 | 1 }
  | { readonly kind: 'denoise'; readonly denoise: number; readonly slot: 0 | 1 };

function stepsThatRun(steps: number, cuts: readonly Cut[]): number[] {
  let sigmas = Array.from({ length: steps + 1 }, (_, i) => i);
  for (const cut of cuts) {
    if (cut.kind === 'split')
      sigmas = cut.slot === 0 ? sigmas.slice(0, cut.step + 1) : sigmas.slice(cut.step);
    else {
      const total = roundAsPython(Math.max(sigmas.length - 1, 0) * cut.denoise);
      // sigmas[:-total] and sigmas[-(total + 1):]; Python's [:-0] is empty.
      const high = total === 0 ? [] : sigmas.slice(0, -total);
      sigmas = cut.slot === 0 ? high : sigmas.slice(-(total + 1));
    }
  }
  return sigmas.slice(0, -1);
}

/** To the nearest; a tie goes to the even one. */
function roundAsPython(value: number): number {
  const [below, above] = [Math.floor(value), Math.ceil(value)];
  if (value - below < above - value) return below;
  if (value - below > above - value) return above;
  return below % 2 === 0 ? below : above;
}

/** KSampler: cut at the end first, then at the start; a start behind the end runs nothing. */
function advancedSteps(steps: number, start: number, end: number): number[] {
  let sigmas = Array.from({ length: steps + 1 }, (_, i) => i);
  if (end < sigmas.length - 1) sigmas = sigmas.slice(0, end + 1);
  return start < sigmas.length - 1 ? sigmas.slice(start, -1) : [];
}

function expectRange(graph: RawGraph, id: string, steps: number, ran: readonly number[]): void {
  const entry = learnGraph(graph).learnt.samplers.find(({ nodeId }) => nodeId === id);
  expect(entry?.steps).toBe(steps);
  expect(entry?.rangeLen).toBe(ran.length);
  expect(entry?.isSegment).toBe(ran.length < steps);
  if (ran.length > 0) expect([entry?.startStep, entry?.endStep]).toEqual([ran[0], ran.at(-1)]);
}

function cutGraph(steps: number, cuts: readonly Cut[]): RawGraph {
  const graph: Record<string, ReturnType<typeof node>> = { ...chain(kSampler('k', 1)) };
  graph['n'] = node('BasicScheduler', { scheduler: 'simple', steps, denoise: 1 });
  let sigmas: [string, number] = ['n', 0];
  for (const [i, cut] of cuts.entries()) {
    const inputs = cut.kind === 'split' ? { step: cut.step } : { denoise: cut.denoise };
    graph[`c${i}`] = node(cut.kind === 'split' ? 'SplitSigmas' : 'SplitSigmasDenoise', { sigmas, ...inputs });
    sigmas = [`c${i}`, cut.slot];
  }
  const wires = { ...graph['k']?.inputs, sampler: ['select', 0], sigmas };
  graph['select'] = node('KSamplerSelect', { sampler_name: 'euler' });
  graph['k'] = node('SamplerCustom', { ...wires, noise_seed: 1 });
  return graph;
}

const slot = fc.constantFrom<0 | 1>(0, 1);
const cut: fc.Arbitrary<Cut> = fc.oneof(
  fc.record({ kind: fc.constant('split' as const), step: fc.integer({ min: 0, max: 50 }), slot }),
  fc.record({
    kind: fc.constant('denoise' as const),
    denoise: fc.integer({ min: 0, max: 100 }).map((percent) => percent / 100),
    slot,
  }),
);

describe('the range that is told is the one that runs', () => {
  test('windows cut out of windows', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.array(cut, { minLength: 1, maxLength: 4 }),
        (steps, cuts) => {
          expectRange(cutGraph(steps, cuts), 'k', steps, stepsThatRun(steps, cuts));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('start_at_step and end_at_step of KSamplerAdvanced', () => {
    const bound = fc.oneof(fc.integer({ min: 0, max: 60 }), fc.constant(10_000));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), bound, bound, (steps, start, end) => {
        const inputs = { steps, start_at_step: start, end_at_step: end, sampler_name: 'euler' };
        const graph = chain({ id: 'k', classType: 'KSamplerAdvanced', inputs });
        expectRange(graph, 'k', steps, advancedSteps(steps, start, end));
      }),
      { numRuns: 500 },
    );
  });

  test('inclusive ends run one step more than exclusive ones', () => {
    const bound = fc.integer({ min: 0, max: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), bound, bound, (steps, start, end) => {
        const graph = chain(ruled('RuledInclusive', 'k', { steps, start, end }));
        expectRange(graph, 'k', steps, advancedSteps(steps, start, end + 1));
      }),
    );
  });

  test.each([1e300, Number.NaN, '1e999', 'many', -5, 2.9])('steps of %s make no nonsense', (steps) => {
    const inputs = { steps, start_at_step: 1e300, end_at_step: 10_000 };
    for (const classType of ['KSamplerAdvanced', 'KSampler']) {
      const [entry] = learnGraph(chain({ id: 'k', classType, inputs })).learnt.samplers;
      for (const value of [entry?.steps ?? 0, entry?.startStep ?? 0, entry?.endStep ?? 0, entry?.rangeLen])
        expect(Number.isSafeInteger(value)).toBe(true);
    }
  });
});
