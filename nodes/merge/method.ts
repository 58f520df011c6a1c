/**
 * What the author of a merge method writes: a descriptor, and the arithmetic on 32-bit floats. Files, types of samples,
 * threads, missing keys, integers and special weights are the engine's; see `run-method.ts`.
 */

import type { TileArithmetic } from './tile-arithmetic.ts';

/** A number that the user may set. Kept in float64. */
type NumberParam = {
  readonly default: number;
  readonly min: number;
  readonly max: number;
  readonly integer?: true;
  readonly tooltip: string;
};
/** One of a fixed list of words. */
type ChoiceParam = {
  readonly default: string;
  readonly choices: readonly string[];
  readonly tooltip: string;
};
/** On or off. */
type ToggleParam = { readonly default: boolean; readonly tooltip: string };
/** A parameter as a method declares it; its kind shows in its fields. */
export type Param = NumberParam | ChoiceParam | ToggleParam;
/** All parameters of a method, by name, in the order in which people see them. */
export type Params = Readonly<Record<string, Param>>;

/** What a parameter holds. Of a parameter that is not known, any of the three. */
export type ParamValue<P extends Param> = P extends NumberParam
  ? number
  : P extends ChoiceParam
    ? P['choices'][number]
    : boolean;
/** The values of parameters, as their declarations promise. */
export type ParamValues<P extends Params> = { readonly [K in keyof P]: ParamValue<P[K]> };

/** Elements `start` to `start + length` of every input. The arrays are `length` long, and valid until the visit ends. */
export type Tile = {
  readonly start: number;
  readonly length: number;
  /** In the order of the recipe. */
  readonly models: readonly Float32Array[];
  /** The base model; absent where the method takes none, or an optional one was not given. */
  readonly base?: Float32Array;
};

/** One tensor of every input, all of one shape. */
export type TensorView<P extends Params = Params> = {
  readonly name: string;
  readonly shape: readonly number[];
  /** Elements, the product of the shape. */
  readonly size: number;
  /** How many models there are, without the base. */
  readonly count: number;
  /** One for each model, as the recipe gives them; finite, of any sign. */
  readonly weights: readonly number[];
  readonly params: ParamValues<P>;
  /** What each round of the survey found in all tensors; empty without one. */
  readonly survey: readonly Float64Array[];
  /** The place of this tensor among the surveyed ones, which are in the order of their names. */
  readonly index: number;
  /** Computes on tiles as quickly as the machine can. */
  readonly arithmetic: TileArithmetic;
  /** Goes over the elements once, in order; may be called any number of times. What reads many elements sums in float64. */
  visit(look: (tile: Tile) => void): void;
};

/** A tensor that is being made: `write` is called once, last, and sees every tile once, in order. */
export type TensorMerge<P extends Params = Params> = TensorView<P> & {
  /** @param make fills `out`, `tile.length` long; it holds the first model's elements when it comes. */
  write(make: (tile: Tile, out: Float32Array) => void): void;
};

/** Stands for the base model where others are named by their index. */
export const BASE = -1;

/**
 * `weight * (plus - minus)`, or `weight * plus`: indices of models, `BASE` for the base. Summed in the order given, each
 * operation rounded to float32. Written around one input, identical inputs give that input bit for bit.
 */
export type Term = { readonly weight: number; readonly plus: number; readonly minus?: number };

/**
 * Taken from a method so that its parameter is compared as a method's: a survey of certain parameters is then also one
 * of any, as the engine holds it.
 */
type CountRounds<P extends Params> = { count(params: ParamValues<P>): number }['count'];

/** Finds what a method must know of the whole model before it merges the first tensor. */
export type Survey<P extends Params> = {
  /** Passes over all tensors; 0: these parameters need none. */
  readonly rounds: number | CountRounds<P>;
  /** Sums one tensor up; `view.survey` holds the rounds before. */
  look(view: TensorView<P>, round: number): Float64Array;
  /**
   * @param found in the order of the tensors' names.
   * @param before what the rounds before combined to.
   */
  combine(
    found: readonly Float64Array[],
    round: number,
    params: ParamValues<P>,
    before: readonly Float64Array[],
  ): Float64Array;
};

type Common<P extends Params> = {
  /** Kebab-case, as recipes spell it; never changes once released. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** The paper or definition of the formula. */
  readonly source: string;
  /** Models without the base; `max` absent: any number. */
  readonly models: { readonly min: number; readonly max?: number };
  readonly base: 'none' | 'optional' | 'required';
  /** Whether each model has a weight of its own; default 1. */
  readonly weighted: boolean;
  readonly params: P;
  /** Parameters under which the method gives another tool's numbers, by the tool's name; the rest are defaults. */
  readonly presets?: Readonly<Record<string, Partial<ParamValues<NoInfer<P>>>>>;
  /** Raise it when the same input gives other bytes: cached results of the version before are then not taken. */
  readonly version: number;
};

/** A sum of terms: the engine computes it with its fastest kernel. */
export type LinearMethod<P extends Params = Params> = Common<P> & {
  /** @throws LineageError `merge/weights` where the weights give no result (a sum of zero to divide by). */
  terms(params: ParamValues<P>, weights: readonly number[]): readonly Term[];
};

/** Anything else. */
export type GeneralMethod<P extends Params = Params> = Common<P> & {
  /** `tile`: any part of a tensor, in memory that does not grow with it. `tensor`: the whole tensor as one tile. */
  readonly reach: 'tile' | 'tensor';
  readonly survey?: Survey<P>;
  merge(tensor: TensorMerge<P>): void;
};

/** A method as the engine holds it: the types of its parameters are forgotten; values are checked by their declarations. */
export type AnyMethod = LinearMethod | GeneralMethod;

/** Types a method where it is written; gives back what it was given. */
export function defineMergeMethod<const P extends Params>(
  method: LinearMethod<P> | GeneralMethod<P>,
): LinearMethod<P> | GeneralMethod<P> {
  return method;
}
