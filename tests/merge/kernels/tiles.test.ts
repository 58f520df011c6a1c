import { describe, expect, test } from 'vitest';
import { PLAIN } from '../../../nodes/merge/plain-arithmetic.ts';
import { votersOf } from '../../../nodes/merge/sum-agreeing.ts';
import type { TileArithmetic } from '../../../nodes/merge/tile-arithmetic.ts';
import { DATA, openTileKernels, randomBits } from './workbench.ts';

const kernels = openTileKernels();

/** Zeros, subnormals, the largest, what is not finite, NaNs with a payload. */
const SPECIALS = [
  0, 0x80000000, 1, 0x80000001, 0x007fffff, 0x00800000, 0x3f800000, 0xbf800000, 0x7f7fffff, 0xff7fffff,
  0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001,
];
const LENGTHS = [0, 1, 2, 3, 4, 5, 7, 8, 15, 63, 64, 65, 1021, 4096, 10_007];

type Kind = 'weights' | 'coarse' | 'special' | 'any';

/** Float32 numbers: like differences of weights, of few magnitudes, with specials among them, or any bits at all. */
function draw(kind: Kind, length: number, seed: number): Float32Array {
  const random = randomBits(seed);
  const next = () => random.next().value;
  const values = new Float32Array(length);
  const bits = new Uint32Array(values.buffer);
  for (let i = 0; i < length; i++) {
    if (kind === 'coarse') values[i] = ((next() % 9) - 4) / 4;
    else if (kind === 'weights' || next() % 4 !== 0) values[i] = (next() / 2 ** 31 - 1) * 0.06;
    else bits[i] = kind === 'any' ? next() : (SPECIALS[next() % SPECIALS.length] ?? 0);
  }
  return values;
}

/** The same numbers where an arithmetic has its arrays, at a place of any alignment that floats have. */
function place(arithmetic: TileArithmetic, values: Float32Array, shift = 0): Float32Array {
  const array = arithmetic.floats(values.length + shift).subarray(shift);
  array.set(values);
  return array;
}

/** The bits of all, those of NaNs as one: what they hold differs between processors. */
function bitsOf(values: Float32Array): number[] {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return [...bits].map((pattern) => ((pattern & 0x7fffffff) > 0x7f800000 ? 0x7fc00000 : pattern));
}

/** Runs the same on kernels and twin, for each kind and length, and compares what comes out. */
function compare(
  run: (arithmetic: TileArithmetic, kind: Kind, length: number) => unknown,
  kinds = KINDS,
): void {
  for (const kind of kinds) {
    for (const length of LENGTHS) {
      kernels.clear();
      expect({ kind, length, made: run(kernels, kind, length) }).toEqual({
        kind,
        length,
        made: run(PLAIN, kind, length),
      });
    }
  }
}
const KINDS: readonly Kind[] = ['weights', 'coarse', 'special', 'any'];

test('differences', () => {
  compare((arithmetic, kind, length) => {
    const [a, b] = [1, 2].map((seed) => place(arithmetic, draw(kind, length, seed), seed)) as [
      Float32Array,
      Float32Array,
    ];
    const into = place(arithmetic, new Float32Array(length).fill(7), 3);
    arithmetic.subtract(a, b, into);
    return bitsOf(into);
  });
});

test('zeros, from every place on', () => {
  compare((arithmetic, kind, length) => {
    const values = place(arithmetic, draw(kind, length, 3), 1);
    const found: number[] = [];
    for (let i = arithmetic.findZero(values, 0); i < length; i = arithmetic.findZero(values, i + 1))
      found.push(i);
    return found;
  });
});

describe('histograms of magnitudes', () => {
  test.each([
    { shift: 20, bits: 11 },
    { shift: 10, bits: 10 },
    { shift: 0, bits: 10 },
    { shift: 15, bits: 16 },
    { shift: 0, bits: 15 },
  ])('$bits bits from bit $shift on', (level) => {
    compare((arithmetic, kind, length) => {
      const values = place(arithmetic, draw(kind, length, 4), 1);
      const [first = 0] = new Uint32Array(values.buffer, values.byteOffset, Math.min(1, length));
      const top = level.shift + level.bits === 31;
      const prefix = top ? 0 : (first & 0x7fffffff) >>> (level.shift + level.bits);
      const counts = arithmetic.counters(2 ** level.bits);
      arithmetic.countLevel(values, level, prefix, counts);
      arithmetic.countLevel(values, level, prefix, counts);
      return [...counts.entries()].filter(([, count]) => count > 0);
    });
  });

  test('counted by hand: 1, 1.5 and -1 share eight bits of exponent', () => {
    kernels.clear();
    const counts = kernels.counters(2 ** 8);
    kernels.countLevel(place(kernels, Float32Array.of(1, 1.5, -1, 2, 0)), { shift: 23, bits: 8 }, 0, counts);
    expect([counts[0], counts[127], counts[128]]).toEqual([1, 3, 1]);
  });
});

describe('bands between two cuts', () => {
  const of = (value: number): number => new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  test.each([
    { inner: 0.5, innerTies: 3, outer: NaN, outerTies: 0 },
    { inner: 0.5, innerTies: 0, outer: NaN, outerTies: 0 },
    { inner: 0.5, innerTies: Infinity, outer: 1, outerTies: 2 },
    { inner: 0.25, innerTies: 100, outer: 0.75, outerTies: Infinity },
    { inner: 0.5, innerTies: 5, outer: 0.5, outerTies: 2 },
    { inner: 0, innerTies: Infinity, outer: Infinity, outerTies: 1 },
    { inner: 0.03, innerTies: 0, outer: 0.05, outerTies: 0 },
  ])(
    'above $inner and $innerTies ties, up to $outer less $outerTies',
    ({ inner, innerTies, outer, outerTies }) => {
      compare((arithmetic, kind, length) => {
        const [a, b] = [5, 6].map((seed) => place(arithmetic, draw(kind, length, seed), seed)) as [
          Float32Array,
          Float32Array,
        ];
        if (kind === 'coarse') b.fill(0);
        const into = place(arithmetic, new Float32Array(length).fill(7), 1);
        const band = {
          inner: of(inner),
          outer: Number.isNaN(outer) ? 0x7fffffff : of(outer),
          left: Float64Array.of(innerTies, outerTies),
        };
        // In two parts: ties are counted on.
        const half = Math.floor(length / 2);
        for (const [from, to] of [
          [0, half],
          [half, length],
        ] as const)
          arithmetic.keepBand(a.subarray(from, to), b.subarray(from, to), band, into.subarray(from, to));
        return [bitsOf(into), [...band.left]];
      });
    },
  );
});

/** Differences of several models, two of three of them zero, and a base. */
function sparseOf(arithmetic: TileArithmetic, kind: Kind, length: number, weights: readonly number[]) {
  const deltas = weights.map((_, model) => ({
    values: place(
      arithmetic,
      draw(kind, length, 7 + model).map((value, i) => ((i * 7 + model) % 3 === 0 ? value : 0)),
      model % 4,
    ),
    scale: [1, 1.25, 65_536 / 13_107][model % 3] ?? 1,
  }));
  return {
    deltas,
    base: place(arithmetic, draw(kind, length, 6), 1),
    out: place(arithmetic, new Float32Array(length).fill(7)),
  };
}

const WEIGHTS = [
  [1],
  [1, 1],
  [0.7, -0.4],
  [1, 0],
  [0.3, 0.4, -0.5],
  [0.1, 0.2, 0.3, -0.4, 0.5],
  new Array(50).fill(0.1),
];

describe.each(WEIGHTS.map((weights) => ({ weights, of: weights.slice(0, 5).join(', ') })))(
  'sparse differences of $weights.length models of weights $of',
  ({ weights }) => {
    test.each([
      { sign: 'mass', draw: 1, normalize: 'count', isWeighted: true },
      { sign: 'mass', draw: 0, normalize: 'weights', isWeighted: false },
      { sign: 'mass', draw: -1, normalize: 'none', isWeighted: true },
      { sign: 'count', draw: 1, normalize: 'weights', isWeighted: true },
      { sign: 'count', draw: 0, normalize: 'count', isWeighted: true },
    ] as const)(
      'elected by $sign, a draw is $draw, divided by $normalize',
      ({ sign, draw: ofDraw, normalize, isWeighted }) => {
        const voters = votersOf(weights, { sign, sign_weighted: isWeighted, normalize });
        compare((arithmetic, kind, length) => {
          const { deltas, base, out } = sparseOf(arithmetic, kind, length, weights);
          arithmetic.createElector({ voters, sign, draw: ofDraw, lambda: 0.9 })(deltas, base, out);
          return bitsOf(out);
        });
      },
    );

    test('summed', () => {
      compare((arithmetic, kind, length) => {
        const { deltas, base, out } = sparseOf(arithmetic, kind, length, weights);
        arithmetic.createAdder(weights, 0.8)(deltas, base, out);
        return bitsOf(out);
      });
    });
  },
);

describe('arrays', () => {
  test('are in the memory as long as it lasts, and then outside, with the same results', () => {
    const tight = openTileKernels(3);
    const inside = tight.floats(20_000);
    const outside = tight.floats(20_000);
    const into = tight.floats(5);
    expect(tight.addressOf(inside)).toBe(DATA);
    expect(tight.addressOf(outside)).toBeUndefined();
    inside.fill(3);
    outside.fill(1);
    tight.subtract(inside.subarray(0, 5), outside.subarray(0, 5), into);
    expect([...into]).toEqual([2, 2, 2, 2, 2]);
    tight.clear();
    expect(tight.addressOf(tight.floats(20_000))).toBe(DATA);
  });

  test('of counts are zero though others were there', () => {
    kernels.clear();
    kernels.floats(64).fill(1);
    kernels.clear();
    expect([...kernels.counters(64)]).toEqual(new Array(64).fill(0));
  });
});
