import { readText } from '../../house/sources.ts';
import type { Dense, Model } from './merge-in-memory.ts';

/** As `generate_a.py` writes it. */
export type DefinedCase = {
  readonly params: object;
  readonly by?: string;
  readonly kind: 'far' | 'near' | 'coarse';
  readonly weights: readonly number[];
  /** Seeds. */
  readonly models: readonly number[];
  readonly base: number | null;
  readonly tensors: readonly DefinedTensor[];
};
type DefinedTensor = {
  readonly name: string;
  readonly shape: readonly number[];
  /** Elements of which the rest speaks. */
  readonly at: readonly number[];
  readonly expected: readonly number[];
  /** The same, rounded to float32 and then to these, as bits. */
  readonly half: readonly number[];
  readonly bfloat: readonly number[];
};
type Defined = { readonly cases: readonly DefinedCase[]; readonly tools: readonly DefinedCase[] };

/** What was recorded for a method. */
export function readDefined(method: string): Defined {
  return JSON.parse(readText(`fixtures/merge/methods/${method}.json`));
}

/** The model that `generate_a.py` makes of a seed. */
export function makeModel({ kind, tensors }: Pick<DefinedCase, 'kind' | 'tensors'>, seed: number): Model {
  return new Map(
    tensors.map(({ name, shape }, place): [string, Dense] => {
      const size = shape.reduce((product, side) => product * side, 1);
      const elements = Float32Array.from({ length: size }, (_, index) => {
        const own = element(seed + 100 * place, index);
        if (kind === 'near') return element(100 * place, index) + own / 16;
        return kind === 'coarse' ? Math.floor(own * 4) / 4 : own;
      });
      return [name, { shape, elements }];
    }),
  );
}

/** Integer hash of (seed, index) to [-1, 1) with 24 bits. */
function element(seed: number, index: number): number {
  let x = (Math.imul(index, 0x9e3779b1) + Math.imul(seed, 0x85ebca77)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return ((x ^ (x >>> 16)) >>> 8) / 2 ** 23 - 1;
}
