import { readFileSync } from 'node:fs';
import { checkParams } from '../../../nodes/merge/check-params.ts';
import type { AnyMethod } from '../../../nodes/merge/method.ts';
import { type Model, mergeInMemory } from './merge-in-memory.ts';

/** Whole values, or of a large tensor every 997th with the sum and the sum of squares. */
export type Recorded = readonly number[] | { values: readonly number[]; sum: number; squares: number };
export type RecordedCase = {
  kind: string;
  shape: readonly number[];
  seed: number;
  name: string;
  count: number;
  weights: readonly number[];
  params: Record<string, number | string | boolean>;
  agrees: readonly string[];
  want: Recorded;
};
type Values = Readonly<Record<string, number | string | boolean>>;
const STRIDE = 997;
const NAME = 'layer.weight';

/** What `generate_b.py` wrote for a method. */
export function readRecorded<T>(name: string): readonly T[] {
  return JSON.parse(
    readFileSync(new URL(`../../../fixtures/merge/methods/${name}.json`, import.meta.url), 'utf8'),
  );
}

/** lowbias32 of a place, as `generate_b.py` has it. */
function uniform(salt: number, index: number): number {
  let x = (index + Math.imul(salt, 0x9e3779b9)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

const DELTAS: Readonly<Record<string, (u: number, model: number) => number>> = {
  dense: (u) => 0.2 * (u - 0.5),
  grid: (u) => (Math.floor(u * 9) - 4) / 8,
  sparse: (u) => (u < 0.6 ? 0 : u - 0.8),
  zero: () => 0,
  constant: () => 0.25,
  tiny: (u) => 0.0002 * (u - 0.5),
  uneven: (u, model) => (u < 0.3 ? 0 : u - 0.65) * (model === 1 ? 0.0001 : 1),
  wide: (u) => 100 * (u - 0.5),
};

/** The base and the models of a case; no base is left out here, a method that takes none is not given it. */
export function makeInputs(kind: string, seed: number, shape: readonly number[], count: number) {
  const size = shape.reduce((product, side) => product * side, 1);
  const base = new Float32Array(size).map((_, i) => {
    const u = uniform(1000 * seed, i);
    if (kind === 'grid') return (Math.floor(u * 17) - 8) / 8;
    return (kind === 'wide' ? 60 : 1) * (u - 0.5);
  });
  const models = Array.from({ length: count }, (_, model) =>
    base.map((value, i) => value + DELTAS[kind]!(uniform(1000 * seed + model + 1, i), model)),
  );
  return { base, models };
}

export type Given = {
  readonly name?: string;
  readonly shape: readonly number[];
  readonly base?: Float32Array;
  readonly models: readonly Float32Array[];
};
export type Recipe = { readonly weights?: readonly number[]; readonly params?: Values };

/** Surveys and merges the tensors of a model; a base is left out where the method takes none. */
export function mergeModel(
  method: AnyMethod,
  tensors: readonly Given[],
  { weights, params = {} }: Recipe = {},
  tileElements?: number,
): Map<string, Float32Array> {
  const modelOf = (pick: (given: Given) => Float32Array | undefined): Model =>
    new Map(
      tensors.map((given) => [
        given.name ?? NAME,
        { shape: given.shape, elements: pick(given) ?? new Float32Array() },
      ]),
    );
  const models = (tensors[0]?.models ?? []).map((_, index) => modelOf((given) => given.models[index]));
  const given = {
    params: checkParams(method, params),
    weights: weights ?? models.map(() => 1),
    models,
    ...(method.base !== 'none' && { base: modelOf((given) => given.base) }),
  };
  return mergeInMemory(method, given, tileElements);
}

export function mergeOne(
  method: AnyMethod,
  given: Given,
  recipe: Recipe = {},
  tileElements?: number,
): Float32Array {
  const [merged] = mergeModel(method, [given], recipe, tileElements).values();
  return merged!;
}

/** How far a result is from what was recorded: the largest difference, relative where values are above 1. */
export function distance(got: Float32Array, want: Recorded): number {
  const off = (a: number, b: number): number =>
    Number.isFinite(a) ? Math.abs(a - b) / Math.max(1, Math.abs(b)) : Number.POSITIVE_INFINITY;
  const sum = (f: (value: number) => number): number => got.reduce((total, value) => total + f(value), 0);
  if (Array.isArray(want)) {
    if (want.length !== got.length) return Number.POSITIVE_INFINITY;
    return want.reduce((most: number, value: number, i) => Math.max(most, off(got[i]!, value)), 0);
  }
  const { values, sum: total, squares } = want as Exclude<Recorded, readonly number[]>;
  const sampled = values.reduce((most, value, i) => Math.max(most, off(got[i * STRIDE]!, value)), 0);
  return Math.max(
    sampled,
    off(
      sum((v) => v),
      total,
    ),
    off(
      sum((v) => v * v),
      squares,
    ),
  );
}
