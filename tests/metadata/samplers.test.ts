import { describe, expect, test } from 'vitest';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { renderParameters } from '../../nodes/metadata/infotext.ts';
import { toParameters } from '../../nodes/metadata/parameters.ts';
import type { SamplerEntry } from '../../nodes/metadata/samplers.ts';
import { advanced, chain, codes, kSampler, learnGraph, node, ruled } from './graphs.ts';

/** `id tier start-end/len`, or `id tier steps` where no range is declared. */
function shown({ nodeId, tier, startStep, endStep, rangeLen, steps, isSegment }: SamplerEntry): string {
  const range = startStep === undefined ? `${steps}` : `${startStep}-${endStep}`;
  return `${nodeId} ${tier} ${range} len ${rangeLen}${isSegment ? ' segment' : ''}`;
}

function list(...given: Parameters<typeof learnGraph>): string[] {
  return learnGraph(...given).learnt.samplers.map(shown);
}

function textOf(...given: Parameters<typeof learnGraph>): string {
  return renderParameters(toParameters(learnGraph(...given).learnt, new Map(), {}, () => {}));
}

describe('choosing the primary sampler', () => {
  test('a known sampler of four steps leads a rule-backed one of thirty', () => {
    const { learnt } = learnGraph(
      chain(ruled('RuledSteps', '10', { steps: 30 }), advanced('11', 30, 26, 10_000)),
    );
    expect(learnt.samplers.map(shown)).toEqual(['11 A 26-29 len 4 segment', '10 B 30 len 30']);
    expect(learnt.primary?.nodeId).toBe('11');
  });

  test('the widest range leads, not the largest number of steps', () => {
    const graph = chain(advanced('10', 100, 0, 10), advanced('11', 30, 5, 30));
    expect(list(graph)).toEqual(['11 A 5-29 len 25 segment', '10 A 0-9 len 10 segment']);
  });

  test('steps count where nothing is a segment', () => {
    expect(list(chain(kSampler('10', 15), kSampler('11', 40), kSampler('12', 20)))).toEqual([
      '11 A 40 len 40',
      '12 A 20 len 20',
      '10 A 15 len 15',
    ]);
  });

  test('of equal ranges the one farthest from the save node leads', () => {
    expect(list(chain(kSampler('20', 10), kSampler('3', 10)))).toEqual(['20 A 10 len 10', '3 A 10 len 10']);
  });

  // Two at the same distance: a blend of two decoded pictures.
  const twins = (first: string, second: string) => {
    const graph = { ...chain(kSampler(first, 10)), ...chain(kSampler(second, 10)) };
    const decode = (id: string) => node('VAEDecode', { samples: [id, 0], vae: ['ckpt', 2] });
    const blend = node('ImageBlend', {
      image1: ['d1', 0],
      image2: ['d2', 0],
      blend_factor: 0.5,
      blend_mode: 'normal',
    });
    const save = node('SaveImage', { images: ['blend', 0] });
    return { ...graph, d1: decode(second), d2: decode(first), blend, save };
  };

  test.each([
    ['9', '10'],
    ['57:8', '57:10'],
    ['9', '57:1'],
    ['12.0.5', '12.0.40'],
    ['54:62:174', '54:62:1000'],
    ['7', '7:1'],
  ])('last, ids are compared part by part, as numbers: %s before %s', (low, high) => {
    expect(learnGraph(twins(low, high)).learnt.primary?.nodeId).toBe(low);
    expect(learnGraph(twins(high, low)).learnt.primary?.nodeId).toBe(low);
    expect(learnGraph(twins(high, low)).learnt.samplers.map(({ nodeId }) => nodeId)).toEqual([low, high]);
  });

  test('the order of the document changes nothing', () => {
    const graph = chain(advanced('10', 30, 0, 20), advanced('11', 30, 20, 25), advanced('12', 30, 25, 30));
    const reversed = Object.fromEntries(Object.entries(graph).reverse());
    expect(list(reversed)).toEqual(list(graph));
    expect(textOf(reversed)).toBe(textOf(graph));
  });
});

describe('overriding the primary sampler', () => {
  const graph = chain(kSampler('10', 10), kSampler('11', 30), kSampler('12', 20));

  test.each([
    ['range', ['11', '12', '10']],
    ['farthest', ['10', '11', '12']],
    ['nearest', ['12', '11', '10']],
  ] as const)('%s', (select, order) => {
    expect(learnGraph(graph, { select }).learnt.samplers.map(({ nodeId }) => nodeId)).toEqual(order);
  });

  test('an id wins over the method, a pin over the id', () => {
    const chosen = (options: Parameters<typeof learnGraph>[1]) =>
      learnGraph(graph, options).learnt.primary?.nodeId;
    expect(chosen({ select: 'nearest', sampler: '10' })).toBe('10');
    expect(chosen({ select: 'nearest', sampler: '10', pinned: '11' })).toBe('11');
  });

  test('a pin on something else is ignored with a warning', () => {
    const { learnt, warnings } = learnGraph(graph, { select: 'farthest', pinned: 'decode' });
    expect(learnt.primary?.nodeId).toBe('10');
    expect(warnings).toEqual([
      {
        code: 'sampler/pin-ignored',
        message: 'this node is not a sampler of this picture',
        where: 'decode',
      },
    ]);
  });

  test('an id that is no sampler is an error that lists those there are', () => {
    try {
      learnGraph(graph, { sampler: '99' });
      expect.unreachable();
    } catch (error) {
      if (!isLineageError(error, 'graph/unknown-sampler')) throw error;
      expect(error.message).toBe('expected the id of a sampler (10, 11, 12), got 99');
      expect(error.where).toEqual({ node: '99' });
    }
  });

  test('the cap never cuts the primary', () => {
    const { learnt, warnings } = learnGraph(graph, { select: 'nearest', maxSamplers: 1 });
    expect(learnt.samplers.map(({ nodeId }) => nodeId)).toEqual(['12']);
    expect(warnings).toEqual([
      { code: 'sampler/capped', message: '2 more are not listed: 11, 10', where: '' },
    ]);
    // What is left is one sampler, so there is no trace of several.
    expect(textOf(graph, { select: 'nearest', maxSamplers: 1 })).not.toContain('Samplers');
  });
});

describe('which nodes are samplers', () => {
  test('a rule-backed sampler without CFG is one', () => {
    const { learnt, warnings } = learnGraph(chain(ruled('RuledSteps', '10', { steps: 12 })));
    expect(learnt.samplers.map(shown)).toEqual(['10 B 12 len 12']);
    expect(learnt.samplers[0]?.sourceRuleIds).toEqual([
      'made-up/RuledSteps.STEPS',
      'made-up/RuledSteps.SAMPLER_NAME',
    ]);
    expect(warnings).toEqual([]);
    expect(textOf(chain(ruled('RuledSteps', '10', { steps: 12 })))).not.toContain('CFG scale');
  });

  test.each([
    ['RuledNameOnly', 'a name alone'],
    ['RuledStepsOnly', 'steps alone'],
  ] as const)('%s: %s makes no sampler', (kind, _what) => {
    const { learnt, warnings } = learnGraph(chain(ruled(kind, '10', { steps: 12 })));
    expect(learnt.samplers).toEqual([]);
    expect(codes(warnings)).toEqual(['sampler/none']);
  });

  test('nor does a rule whose node has no name or steps to give', () => {
    const named = ruled('RuledSteps', '10', { sampler_name: 'None', steps: 12 });
    expect(learnGraph(chain(named)).learnt.samplers).toEqual([]);
    expect(learnGraph(chain(ruled('RuledSteps', '10', {}))).learnt.samplers).toEqual([]);
  });

  test('a node that neither takes a model nor puts out a latent is none', () => {
    const graph = chain(kSampler('10', 10));
    const note = node('RuledNote', { image: ['decode', 0], sampler_name: 'euler', steps: 99 });
    const save = node('SaveImage', { images: ['note', 0] });
    expect(list({ ...graph, note, save })).toEqual(['10 A 10 len 10']);
  });

  test('a known and a rule-backed class are listed once each', () => {
    const graph = chain(kSampler('10', 10), ruled('RuledSegment', '11', { start: 4, end: 8 }));
    expect(list(graph)).toEqual(['10 A 10 len 10', '11 B 4-7 len 4 segment']);
  });

  test('without any, the facts are written as for one, without the keys of several', () => {
    const graph = chain(ruled('RuledNameOnly', '10', {}));
    const text = textOf(graph);
    expect(text).toBe(
      'a heron\nNegative prompt: blur\nSampler: Heun, Size: 64x48, Model: base, Version: ComfyUI',
    );
  });
});

describe('half a range', () => {
  test.each([
    [{ start: 5 }, 'START_STEP without END_STEP is ignored'],
    [{ end: 5 }, 'END_STEP without START_STEP is ignored'],
  ])('%j without steps is no sampler, with a warning', (inputs, message) => {
    const { learnt, warnings } = learnGraph(chain(kSampler('10', 10), ruled('RuledSegment', '11', inputs)));
    expect(learnt.samplers.map(shown)).toEqual(['10 A 10 len 10']);
    expect(warnings).toEqual([{ code: 'sampler/half-range', message, where: '11' }]);
  });

  test('beside steps, the steps count', () => {
    const { learnt, warnings } = learnGraph(chain(ruled('RuledSegment', '11', { start: 5, steps: 9 })));
    expect(learnt.samplers.map(shown)).toEqual(['11 B 9 len 9']);
    expect(codes(warnings)).toEqual(['sampler/half-range']);
  });
});

describe('ranges', () => {
  test.each([
    [0, 10_000, '0-29 len 30'],
    [0, -1, '0-29 len 30'],
    [0, 30, '0-29 len 30'],
    [0, 31, '0-29 len 30'],
    [20, 10_000, '20-29 len 10 segment'],
    [20, -1, '20-29 len 10 segment'],
    [20, 500, '20-29 len 10 segment'],
    [0, 29, '0-28 len 29 segment'],
    [29, 30, '29-29 len 1 segment'],
    [-3, 10, '0-9 len 10 segment'],
  ])('30 steps from %d to %d (exclusive) run %s', (start, end, expected) => {
    expect(list(chain(advanced('10', 30, start, end)))).toEqual([`10 A ${expected}`]);
  });

  test.each([
    [0, 9, '0-9 len 10'],
    [10, 10_000, '10-29 len 20'],
    [10, -1, '10-29 len 20'],
    [10, 29, '10-29 len 20'],
    [29, 29, '29-29 len 1'],
  ])('where ends are inclusive, %d to %d runs %s', (start, end, expected) => {
    const graph = chain(ruled('RuledInclusive', '10', { steps: 30, start, end }));
    expect(list(graph)).toEqual([`10 B ${expected} segment`]);
  });

  test('start and end beat the steps of the same node', () => {
    expect(list(chain(ruled('RuledSegment', '10', { steps: 50, start: 10, end: 20 })))).toEqual([
      '10 B 10-19 len 10 segment',
    ]);
  });

  test('without steps, 10000 leaves the end open', () => {
    const { learnt } = learnGraph(chain(ruled('RuledSegment', '10', { start: 10, end: 10_000 })));
    expect(learnt.samplers).toMatchObject([{ startStep: 10, rangeLen: 0, isSegment: true }]);
    expect(learnt.samplers[0]).not.toHaveProperty('endStep');
  });

  test.each([
    [10, 10],
    [12, 10],
    [30, 10_000],
    [99, 10_000],
  ])('from %d to %d no step runs, with a warning', (start, end) => {
    const { learnt, warnings } = learnGraph(chain(kSampler('9', 5), advanced('10', 30, start, end)));
    expect(learnt.samplers.find(({ nodeId }) => nodeId === '10')).toMatchObject({
      rangeLen: 0,
      isSegment: true,
    });
    expect(learnt.primary?.nodeId).toBe('9');
    expect(codes(warnings)).toEqual(['sampler/empty-range']);
  });
});

/** Custom sampling: `cut` makes the sigmas of the sampler from those of the scheduler. */
function custom(
  steps: number,
  cut: Readonly<Record<string, ReturnType<typeof node>>>,
  sigmas: [string, number],
) {
  return {
    ...chain(kSampler('unused', 1)),
    sched: node('BasicScheduler', { scheduler: 'beta', steps, denoise: 1, model: ['ckpt', 0] }),
    select: node('KSamplerSelect', { sampler_name: 'dpmpp_2m' }),
    ...cut,
    run: node('SamplerCustom', {
      noise_seed: 7,
      cfg: 5,
      add_noise: true,
      model: ['ckpt', 0],
      positive: ['pos', 0],
      negative: ['neg', 0],
      sampler: ['select', 0],
      sigmas,
      latent_image: ['empty', 0],
    }),
    decode: node('VAEDecode', { samples: ['run', 0], vae: ['ckpt', 2] }),
  };
}

describe('windows cut out of sigmas', () => {
  const split = (step: unknown, sigmas: readonly [string, number] = ['sched', 0]) =>
    node('SplitSigmas', { sigmas, step });
  const splitAt = (denoise: number, sigmas: readonly [string, number] = ['sched', 0]) =>
    node('SplitSigmasDenoise', { sigmas, denoise });

  test('uncut, the whole run', () => expect(list(custom(30, {}, ['sched', 0]))).toEqual(['run A 30 len 30']));

  test.each([
    [0, '0-11 len 12'],
    [1, '12-29 len 18'],
  ])('SplitSigmas at 12, slot %d', (slot, expected) => {
    expect(list(custom(30, { cut: split(12) }, ['cut', slot]))).toEqual([`run A ${expected} segment`]);
  });

  test.each([
    // The high part of 30 is 0-19; of that the low part from its 5th step on.
    [0, 20, 1, 5, '5-19 len 15'],
    [1, 20, 0, 5, '20-24 len 5'],
    [1, 20, 1, 5, '25-29 len 5'],
    [0, 20, 0, 50, '0-19 len 20'],
  ])(
    'SplitSigmas behind SplitSigmas: slot %d at %d, then slot %d at %d',
    (outer, at, inner, then, expected) => {
      const graph = custom(30, { a: split(at), b: split(then, ['a', outer]) }, ['b', inner]);
      expect(list(graph)).toEqual([`run A ${expected} segment`]);
    },
  );

  test.each([
    // ComfyUI: total_steps = round(steps * denoise); the halves meet at steps - total_steps.
    [20, 0.5, 0, '0-9 len 10'],
    [20, 0.5, 1, '10-19 len 10'],
    [30, 0.3, 0, '0-20 len 21'],
    [30, 0.3, 1, '21-29 len 9'],
    // Python rounds halves to even: round(2.5) is 2, round(7.5) is 8.
    [25, 0.1, 1, '23-24 len 2'],
    [25, 0.3, 1, '17-24 len 8'],
  ])('SplitSigmasDenoise: %d steps at %d, slot %d', (steps, denoise, slot, expected) => {
    const graph = custom(steps, { cut: splitAt(denoise) }, ['cut', slot]);
    expect(list(graph)).toEqual([`run A ${expected} segment`]);
  });

  test('SplitSigmasDenoise counts the steps of what it cuts, not of the whole run', () => {
    const graph = custom(30, { a: split(20), b: splitAt(0.25, ['a', 0]) }, ['b', 1]);
    expect(list(graph)).toEqual(['run A 15-19 len 5 segment']);
  });

  test.each([0, 1])('without a known number of steps nothing is made up, slot %d', (slot) => {
    const unknown = node('SomebodysScheduler', {});
    const graph = custom(30, { sched: unknown, cut: splitAt(0.5) }, ['cut', slot]);
    const [entry] = learnGraph(graph).learnt.samplers;
    expect(entry).toMatchObject({ nodeId: 'run', rangeLen: 0 });
    expect(JSON.stringify(entry)).not.toContain('null');
    expect(textOf(graph)).not.toMatch(/NaN|Infinity|null/);
  });
});

describe('overlaps', () => {
  test('warn with both ids and both ranges', () => {
    const { warnings } = learnGraph(chain(advanced('10', 30, 0, 20), advanced('11', 30, 15, 10_000)));
    expect(warnings).toEqual([
      { code: 'sampler/overlap', message: '10 runs 0-19 and 11 runs 15-29', where: '10' },
    ]);
  });

  test('one shared step is an overlap, touching ranges are none', () => {
    const pair = (end: number) => chain(advanced('10', 30, 0, end), advanced('11', 30, 20, 30));
    expect(codes(learnGraph(pair(20)).warnings)).toEqual([]);
    expect(codes(learnGraph(pair(21)).warnings)).toEqual(['sampler/overlap']);
  });

  test('every pair is told; full runs overlap with nothing', () => {
    const three = chain(advanced('10', 30, 0, 20), advanced('11', 30, 5, 25), advanced('12', 30, 10, 30));
    expect(codes(learnGraph(three).warnings)).toEqual(Array(3).fill('sampler/overlap'));
    expect(codes(learnGraph(chain(kSampler('10', 30), advanced('11', 30, 10, 20))).warnings)).toEqual([]);
  });
});

describe("the seed's cases", () => {
  test('A: one known sampler, no trace of several', () => {
    expect(textOf(chain(kSampler('10', 30)))).not.toContain('Samplers');
  });

  test('B: a known sampler and a rule-backed segment', () => {
    const graph = chain(kSampler('10', 30), ruled('RuledSegment', '11', { start: 30, end: 40 }));
    expect(list(graph)).toEqual(['10 A 30 len 30', '11 B 30-39 len 10 segment']);
    expect(textOf(graph)).toMatch(
      /, Samplers: Euler \(0-29\) \| Heun \(30-39\), Samplers detail: "1: Euler 0-29, 2: Heun 30-39"$/,
    );
  });

  test('C: a full run and two segments, by range behind the primary', () => {
    const graph = chain(
      kSampler('10', 30),
      ruled('RuledSegment', '11', { start: 31, end: 36, sampler_name: 'dpmpp_2m' }),
      ruled('RuledSegment', '12', { start: 36, end: 50 }),
    );
    expect(textOf(graph)).toMatch(
      /, Samplers: Euler \(0-29\) \| Heun \(36-49\) \| DPM\+\+ 2M \(31-35\), Samplers detail: "1: Euler 0-29, 2: Heun 36-49, 3: DPM\+\+ 2M 31-35"$/,
    );
  });

  test('D: two rule-backed ones, the wider first, then the one that runs first', () => {
    const segment = (id: string, start: number, end: number) => ruled('RuledSegment', id, { start, end });
    expect(list(chain(segment('8', 0, 10), segment('9', 10, 30)))[0]).toBe('9 B 10-29 len 20 segment');
    expect(list(chain(segment('9', 0, 10), segment('8', 10, 20)))[0]).toBe('9 B 0-9 len 10 segment');
  });

  test('E: rule-backed with name and steps, without CFG', () => {
    const graph = chain(ruled('RuledSteps', '10', { steps: 8 }), kSampler('11', 4));
    expect(textOf(graph)).toMatch(
      /^Steps: 4, .*, Samplers: Euler \(4 steps\) \| Heun \(8 steps\), Samplers detail: "1: Euler 4 steps, 2: Heun 8 steps"$/m,
    );
  });
});

describe('debug lines', () => {
  test('candidates before the choice, then the primary and its tier, all with the prefix', () => {
    const { debug } = learnGraph(
      chain(ruled('RuledSteps', '9', { steps: 30 }), advanced('10', 30, 0, 20), kSampler('11', 4)),
    );
    expect(debug).toEqual([
      '[multi-sampler] candidates: 9 heun (30 steps, tier B), 10 euler (0-19, tier A), 11 euler (4 steps, tier A)',
      '[multi-sampler] primary: 10 (tier A)',
    ]);
  });

  test('say so where there is none', () => {
    expect(learnGraph({ save: node('SaveImage', {}) }).debug).toEqual(['[multi-sampler] candidates: none']);
  });
});
