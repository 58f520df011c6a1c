import { countElements } from '../../nodes/formats/safetensors/dtypes.ts';
import { applyAdapter } from '../../nodes/lora/delta.ts';
import { findMethod } from '../../nodes/merge/find-method.ts';
import type { AdaptedTensor, MergedTensor, Operand, StoredTensor } from '../../nodes/merge/job.ts';
import type { TileKernels } from '../../nodes/merge/kernels/tile-kernels.ts';
import { BASE } from '../../nodes/merge/method.ts';
import { runMethod, surveyTensor, type TensorInputs } from '../../nodes/merge/run-method.ts';
import { moduleOf } from './adapter-module.ts';
import { asElementwise } from './choose-recipe.ts';
import { type Elementwise, inputsOf, type Leaf } from './recipe.ts';
import type { FoundNotFinite, Samples } from './samples.ts';

/** What the rounds of each survey of the job found, by the number of the survey. */
export type Surveys = ReadonlyMap<number, readonly Float64Array[]>;

/** Elements of an operand, from any place on. */
type Reader = (start: number, into: Float32Array) => void;

/** What one tensor is made with. */
export type WholeBench = {
  /** Of the output, for messages and for elementwise operands. */
  readonly name: string;
  readonly samples: Samples;
  /** On the memory of the samples. */
  readonly tiles: TileKernels;
  readonly surveys: Surveys;
  readonly found: FoundNotFinite;
};

/**
 * Makes a tensor that no part of can be made alone, in float32.
 *
 * @param emit takes its elements, in order; the array is valid until it returns.
 */
export function makeWhole(bench: WholeBench, value: Operand, emit: (elements: Float32Array) => void): void {
  const once = { ...bench, found: reportOnce(bench.found) };
  if (value.kind === 'merged') {
    const inputs = openInputs(once, value);
    runMethod(findMethod(value.method), inputs, (_, elements) => emit(elements));
  } else emit(materialise(once, value));
}

/** One round of a survey on one tensor. */
export function surveyWhole(bench: WholeBench, value: MergedTensor, round: number): Float64Array {
  const found = surveyTensor(findMethod(value.method), openInputs(bench, value), round);
  if (!found) throw new Error(`${value.method} surveys nothing`);
  return found;
}

function openInputs(bench: WholeBench, value: MergedTensor): TensorInputs {
  const readers = inputsOf(value).map((operand) => openReader(bench, operand));
  const { name, shape, weights, params, survey } = value;
  // The inputs that are results are made; what they were made in is free again.
  bench.tiles.clear();
  return {
    name,
    shape,
    weights,
    params,
    survey: (survey && bench.surveys.get(survey.group)) ?? [],
    index: survey?.index ?? 0,
    hasBase: value.base !== undefined,
    arithmetic: bench.tiles,
    read(input, start, into) {
      const read = readers[input === BASE ? value.models.length : input];
      if (!read) throw new Error(`${value.method} reads an input that is not there`);
      read(start, into);
    },
  };
}

function openReader(bench: WholeBench, operand: Operand): Reader {
  const value = asElementwise(bench.name, operand);
  if (value) return (start, into) => readElementwise(bench, value, start, into);
  const made = materialise(bench, operand);
  return (start, into) => into.set(made.subarray(start, start + into.length));
}

function readElementwise(
  { samples, tiles, found }: WholeBench,
  value: Elementwise,
  start: number,
  into: Float32Array,
): void {
  const to = tiles.addressOf(into);
  if (to !== undefined && into.length <= samples.longest) {
    samples.floatsTo(value, start, into.length, to, found);
    return;
  }
  for (let done = 0; done < into.length; done += samples.longest) {
    const count = Math.min(samples.longest, into.length - done);
    into.set(samples.view(samples.floats(value, start + done, count, found), count), done);
  }
}

/** All elements at once. A result within a result is kept in float32, without a file in between. */
function materialise(bench: WholeBench, operand: Operand): Float32Array {
  if (operand.kind === 'adapted') return adapt(bench, operand);
  const all = new Float32Array(countElements(operand.shape));
  const value = asElementwise(bench.name, operand);
  if (value) readElementwise(bench, value, 0, all);
  else if (operand.kind === 'merged') {
    runMethod(findMethod(operand.method), openInputs(bench, operand), (start, elements) =>
      all.set(elements, start),
    );
  }
  return all;
}

function adapt(bench: WholeBench, { base, patches }: AdaptedTensor): Float32Array {
  const start = { shape: base.shape, data: materialise(bench, base) };
  const { data } = patches.reduce((weight, patch) => {
    const tensors = Object.fromEntries(
      Object.entries(patch.tensors).map(([role, stored]) => [role, readTensor(bench, stored)]),
    );
    const { strength, rows } = patch;
    return applyAdapter(weight, moduleOf(patch), tensors, { strength, ...(rows && { rows }) });
  }, start);
  return data;
}

function readTensor(bench: WholeBench, stored: StoredTensor) {
  return { shape: stored.shape, data: materialise(bench, stored) };
}

/** A method may look at its inputs several times; what is not finite counts once. */
function reportOnce(found: FoundNotFinite): FoundNotFinite {
  const seen = new Map<Leaf, number>();
  return (leaf, start, count, at) => {
    const end = start + count;
    if (start < (seen.get(leaf) ?? 0)) return;
    seen.set(leaf, end);
    found(leaf, start, count, at);
  };
}
