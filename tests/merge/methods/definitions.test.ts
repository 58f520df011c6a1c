import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { encodeFloats } from '../../../nodes/formats/floats.ts';
import { checkParams } from '../../../nodes/merge/check-params.ts';
import { findMethod } from '../../../nodes/merge/find-method.ts';
import type { AnyMethod } from '../../../nodes/merge/method.ts';
import { mergeMethods } from '../../../nodes/merge/methods/index.gen.ts';
import { readText } from '../../house/sources.ts';
import { type DefinedCase, makeModel, readDefined } from './defined-cases.ts';
import { type Model, mergeInMemory } from './merge-in-memory.ts';

/** Methods whose cases were recorded by their definition; the others have recordings of other forms, tested elsewhere. */
const RECORDED = readdirSync(new URL('../../../fixtures/merge/methods/', import.meta.url)).flatMap((name) =>
  name.endsWith('.json') ? [name.slice(0, -'.json'.length)] : [],
);
const METHODS = RECORDED.filter((id) => 'tools' in readDefined(id));
/** Half a unit in the last place of float32. */
const ROUNDED = 2 ** -24 * 1.001;
/** What float64 sums of 78,000 products may differ by. */
const SUM_NOISE = 1e-11;
/** It ends where the mean distance no longer changes in float64: the square of what the point still may. */
const MEDIAN_NOISE = 3e-8;

/** How far the arithmetic may stray from the exact result, on elements below 1.1. */
function strayOf(method: AnyMethod, { params, weights }: DefinedCase): number {
  if (!('terms' in method)) return method.id === 'geometric-median' ? MEDIAN_NOISE : SUM_NOISE;
  const terms = method.terms(checkParams(method, params) as never, weights);
  const size = terms.reduce(
    (sum, { weight, minus }) => sum + Math.abs(weight) * (minus === undefined ? 1 : 2),
    0,
  );
  return 1.1 * size * (terms.length + 1) * 2 ** -24;
}

type Compared = {
  readonly place: string;
  readonly got: number;
  readonly want: number;
  readonly half: number;
  readonly bfloat: number;
};

/** The recorded elements, with those that come out here. */
function compare(method: AnyMethod, recorded: DefinedCase): Compared[] {
  const base = recorded.base === null ? undefined : makeModel(recorded, recorded.base);
  const merged = mergeInMemory(method, {
    params: checkParams(method, recorded.params),
    weights: recorded.weights,
    models: recorded.models.map((seed) => makeModel(recorded, seed)),
    ...(base && { base }),
  });
  return recorded.tensors.flatMap(({ name, at, expected, half, bfloat }) =>
    at.map((index, i) => ({
      place: `${name}[${index}]`,
      got: merged.get(name)![index]!,
      want: expected[i]!,
      half: half[i]!,
      bfloat: bfloat[i]!,
    })),
  );
}

/** Codes between what comes out and what torch has, in a narrow format; +0 and -0 are one. */
function codesApart(dtype: 'F16' | 'BF16', got: readonly number[], codes: readonly number[]): number[] {
  const bytes = new Uint8Array(2 * got.length);
  encodeFloats(dtype, Float32Array.from(got), bytes);
  const ordered = (code: number): number => (code & 0x8000 ? -(code & 0x7fff) : code);
  return [...new Uint16Array(bytes.buffer)].map((code, i) => Math.abs(ordered(code) - ordered(codes[i]!)));
}

const describeCase = ({ by, params, kind, weights }: DefinedCase): string =>
  [by, JSON.stringify(params), kind, weights].filter((part) => part !== undefined).join(' ');

test('every method has a recording, and is tested by it here or beside', () => {
  const ids = mergeMethods.map(({ id }) => id);
  expect(ids.filter((id) => !RECORDED.includes(id))).toEqual([]);
  expect(METHODS.filter((id) => !ids.includes(id))).toEqual([]);
  expect(METHODS.length).toBeGreaterThanOrEqual(20);
});

describe.each(METHODS)('%s', (id) => {
  const method = findMethod(id);
  const { cases, tools } = readDefined(id);

  test.each(cases.map((each) => [describeCase(each), each] as const))('as defined: %s', (_, recorded) => {
    const stray = strayOf(method, recorded);
    const compared = compare(method, recorded);
    expect(compared.length).toBeGreaterThan(50);
    expect(
      compared.filter(({ got, want }) => !(Math.abs(got - want) <= Math.abs(want) * ROUNDED + stray)),
    ).toEqual([]);
    // A neighbour in float32 rounds to the same, but where it is next to the middle of two narrow values. Around zero,
    // where narrow values are nearer to each other than results of float32 arithmetic, they are not compared.
    const sure = compared.filter(({ want }) => Math.abs(want) > 0.001);
    const got = sure.map((each) => each.got);
    for (const apart of [
      codesApart(
        'F16',
        got,
        sure.map(({ half }) => half),
      ),
      codesApart(
        'BF16',
        got,
        sure.map(({ bfloat }) => bfloat),
      ),
    ]) {
      expect(Math.max(...apart)).toBeLessThanOrEqual(1);
      expect(apart.filter((codes) => codes === 1).length).toBeLessThanOrEqual(2);
    }
  });

  // They compute in float32: this is how much their own arithmetic loses between vectors that point to two sides.
  test.each(tools.map((each) => [describeCase(each), each] as const))('as %s', (_, recorded) => {
    const loss = id === 'geometric-median' ? 5e-4 : 2e-5;
    const compared = compare(method, recorded);
    expect(compared.length).toBeGreaterThan(30);
    expect(compared.filter(({ got, want }) => !(Math.abs(got - want) <= loss))).toEqual([]);
  });
});

type Golden = {
  readonly id: string;
  readonly method: string;
  readonly params: object;
  readonly weights: readonly number[];
  readonly models: readonly (readonly (readonly number[])[])[];
  readonly base: readonly (readonly number[])[] | null;
  readonly expected: readonly number[];
};

describe('the vectors of the reference', () => {
  const golden: readonly Golden[] = JSON.parse(readText('fixtures/merge/methods/golden-a.json'));
  const modelOf = (rows: readonly (readonly number[])[]): Model =>
    new Map([['x', { shape: [2, 4], elements: Float32Array.from(rows.flat()) }]]);

  test('are all here', () => {
    expect(golden.map(({ id }) => id).join(' ')).toBe('G1 G2 G3 G4 G5 G6 G7 G8 G14 G15 G16 G19');
  });

  test.each(golden.map((each) => [each.id, each.method, each] as const))('%s: %s', (name, id, vector) => {
    const method = findMethod(id);
    const merged = mergeInMemory(method, {
      params: checkParams(method, vector.params),
      weights: vector.weights,
      models: vector.models.map(modelOf),
      ...(vector.base && { base: modelOf(vector.base) }),
    }).get('x')!;
    // G16 was made in float32, where the search ends as soon as float32 sums of distances no longer change.
    const loss = name === 'G16' ? 2e-4 : 1.1e-6;
    expect(merged).toHaveLength(8);
    merged.forEach((got, i) => {
      expect(Math.abs(got - vector.expected[i]!), `element ${i}`).toBeLessThanOrEqual(loss);
    });
  });
});
