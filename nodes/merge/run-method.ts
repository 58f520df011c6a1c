import { type AnyMethod, BASE, type Params, type ParamValues, type Term, type Tile } from './method.ts';
import { PLAIN } from './plain-arithmetic.ts';
import type { TileArithmetic } from './tile-arithmetic.ts';

/** Elements of a tile: fixed, so that sums over tiles never depend on the machine. A multiple of 32. */
export const TILE_ELEMENTS = 65_536;

/** One tensor of every input, to be read part by part. */
export type TensorInputs = {
  readonly name: string;
  readonly shape: readonly number[];
  readonly weights: readonly number[];
  readonly params: ParamValues<Params>;
  readonly survey: readonly Float64Array[];
  readonly index: number;
  readonly hasBase: boolean;
  /** Default: plain. */
  readonly arithmetic?: TileArithmetic;
  /** Fills `into` with elements from `start` of a model, or of the base (`BASE`). */
  read(input: number, start: number, into: Float32Array): void;
};

/**
 * Makes one tensor of the result by a method, in float32.
 *
 * @param emit takes the elements from `start` on, in order; the array is valid until it returns.
 * @param tileElements a multiple of 32; the result is the same with any.
 */
export function runMethod(
  method: AnyMethod,
  inputs: TensorInputs,
  emit: (start: number, elements: Float32Array) => void,
  tileElements = TILE_ELEMENTS,
): void {
  const view = viewOf(inputs, 'reach' in method ? method.reach : 'tile', tileElements);
  if ('terms' in method) {
    const terms = method.terms(inputs.params, inputs.weights);
    view.write((tile, out) => sumTerms(terms, tile, out), emit);
    return;
  }
  const write = (make: Make): void =>
    view.write((tile, out) => {
      make(tile, out);
      keepZeros(tile, out, view.arithmetic);
    }, emit);
  method.merge({ ...view, write });
}

/** Passes over the whole model that a method makes before it merges the first tensor. */
export function countSurveyRounds(method: AnyMethod, params: ParamValues<Params>): number {
  if (!('survey' in method) || !method.survey) return 0;
  const { rounds } = method.survey;
  return typeof rounds === 'number' ? rounds : rounds(params);
}

/** One round of a method's survey on one tensor. */
export function surveyTensor(
  method: AnyMethod,
  inputs: TensorInputs,
  round: number,
  tileElements = TILE_ELEMENTS,
): Float64Array | undefined {
  if (!('survey' in method) || !method.survey) return undefined;
  const { write: _, ...view } = viewOf(inputs, method.reach, tileElements);
  return method.survey.look(view, round);
}

/** The plain twin of the kernels: every operation rounded to float32. */
export function sumTerms(terms: readonly Term[], { models, base, length }: Tile, out: Float32Array): void {
  const of = (input: number): Float32Array | undefined => (input === BASE ? base : models[input]);
  terms.forEach(({ weight, plus, minus }, index) => {
    const a = of(plus);
    const b = minus === undefined ? undefined : of(minus);
    if (!a || (minus !== undefined && !b)) throw new Error('a term names an input that is not there');
    const w = Math.fround(weight);
    for (let i = 0; i < length; i++) {
      const difference = Math.fround((a[i] ?? 0) - (b ? (b[i] ?? 0) : 0));
      const product = Math.fround(w * difference);
      out[i] = index === 0 ? product : (out[i] ?? 0) + product;
    }
  });
}

/** Where every input is the same zero and so is the result, gives it their sign: sums make +0 of -0. */
function keepZeros(tile: Tile, out: Float32Array, { findZero }: Pick<TileArithmetic, 'findZero'>): void {
  for (let i = findZero(out, 0); i < out.length; i = findZero(out, i + 1)) {
    const zero = zeroAt(tile, i);
    if (zero !== undefined) out[i] = zero;
  }
}

/** The zero that every input has. */
function zeroAt({ models: [first, ...others], base }: Tile, i: number): number | undefined {
  const zero = first?.[i];
  if (zero !== 0 || (base && !Object.is(base[i], zero))) return undefined;
  return others.every((other) => Object.is(other[i], zero)) ? zero : undefined;
}

type Make = (tile: Tile, out: Float32Array) => void;

function viewOf(inputs: TensorInputs, reach: 'tile' | 'tensor', tileElements: number) {
  const { name, shape, weights, params, survey, index, hasBase, arithmetic = PLAIN, read } = inputs;
  const size = shape.reduce((product, side) => product * side, 1);
  const longest = reach === 'tensor' ? size : Math.min(size, tileElements);
  // A whole tensor is held only as long as it is worked on.
  const { floats } = reach === 'tensor' ? PLAIN : arithmetic;
  const buffers = weights.map(() => floats(longest));
  const baseBuffer = hasBase ? floats(longest) : undefined;

  function tileAt(start: number): Tile {
    const length = Math.min(longest, size - start);
    const models = buffers.map((buffer) => (length === longest ? buffer : buffer.subarray(0, length)));
    models.forEach((into, model) => {
      read(model, start, into);
    });
    const base = baseBuffer?.subarray(0, length);
    if (base) read(BASE, start, base);
    return { start, length, models, ...(base && { base }) };
  }

  return {
    name,
    shape,
    size,
    count: weights.length,
    weights,
    params,
    survey,
    index,
    arithmetic,
    visit(look: (tile: Tile) => void): void {
      for (let start = 0; start < size; start += longest) look(tileAt(start));
    },
    write(make: Make, emit: (start: number, elements: Float32Array) => void): void {
      const out = floats(longest);
      for (let start = 0; start < size; start += longest) {
        const tile = tileAt(start);
        const part = out.subarray(0, tile.length);
        const [first] = tile.models;
        if (first) part.set(first);
        make(tile, part);
        emit(start, part);
      }
    },
  };
}
