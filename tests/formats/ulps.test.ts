import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { FloatDtype } from '../../nodes/formats/floats.ts';
import { addUlps, compareFloats, NO_ULPS } from '../../nodes/formats/ulps.ts';
import { readRecorded, unbase64 } from './recorded.ts';

type Run = {
  readonly dtype: FloatDtype;
  readonly a: string;
  readonly b: string;
  readonly elements: number;
  readonly different: number;
  readonly nan: number;
  readonly largest: string;
  readonly at: number | null;
};
const runs = readRecorded('safetensors/ulps.json') as readonly Run[];

/** In a buffer of its own: at a multiple of any size. */
const aligned = (text: string): Uint8Array => new Uint8Array(unbase64(text));

test.each(runs.map((run) => [`${run.elements} of ${run.dtype}`, run] as const))(
  '%s: as far apart as numpy and torch have it',
  (_, { dtype, a, b, elements, different, nan, largest, at }) => {
    expect(compareFloats(dtype, aligned(a), aligned(b))).toEqual({
      ...{ elements, different, nan, largest: Number(largest) },
      ...(at !== null && { at }),
    });
  },
);

test('parts are added up to the whole, wherever it is cut', () => {
  for (const { dtype, a, b, elements } of runs) {
    const [one, other] = [aligned(a), aligned(b)];
    const width = one.length / elements;
    fc.assert(
      fc.property(fc.nat(elements), (cut) => {
        const part = (from: number, to: number) =>
          compareFloats(dtype, one.slice(from * width, to * width), other.slice(from * width, to * width));
        const whole = addUlps(addUlps(NO_ULPS, part(0, cut)), part(cut, elements));
        expect(whole).toEqual(compareFloats(dtype, one, other));
      }),
      { numRuns: 20 },
    );
  }
});

test('runs of other lengths are refused', () => {
  expect(() => compareFloats('F16', new Uint8Array(4), new Uint8Array(6))).toThrow('as long');
  expect(() => compareFloats('F32', new Uint8Array(6), new Uint8Array(6))).toThrow('as long');
});
