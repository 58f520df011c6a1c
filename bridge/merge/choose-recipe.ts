import { isFloat } from '../../nodes/formats/floats.ts';
import { bitsOf, type Dtype } from '../../nodes/formats/safetensors/dtypes.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { findMethod } from '../../nodes/merge/find-method.ts';
import type { Operand, OutputTensor } from '../../nodes/merge/job.ts';
import { BASE, type Term } from '../../nodes/merge/method.ts';
import { type Elementwise, inputsOf, isLeaf, type Recipe, type StoredSum, type Sum } from './recipe.ts';

/** @throws LineageError `merge/dtype` for arithmetic on what is no float; what a method says of its weights */
export function recipeOf({ name, dtype, value }: OutputTensor): Recipe {
  if (isLeaf(value) && value.dtype === dtype) return { way: 'copy', dtype, from: value };
  if (!isFloat(dtype)) throw refuse(name, dtype);
  const elementwise = asElementwise(name, value);
  if (!elementwise) return { way: 'whole', dtype, value };
  const only = soleInput(elementwise);
  if (only && isLeaf(only) && only.dtype === dtype) return { way: 'copy', dtype, from: only };
  if (dtype !== 'F64' && isSumOfStored(elementwise, dtype)) return { way: 'fused', dtype, sum: elementwise };
  return { way: 'elementwise', dtype, value: elementwise };
}

/**
 * Undefined where a method reaches further than the element.
 *
 * @throws LineageError as `recipeOf`
 */
export function asElementwise(name: string, value: Operand): Elementwise | undefined {
  if (isLeaf(value)) {
    if (!isFloat(value.dtype)) throw refuse(name, value.dtype);
    return value;
  }
  const inputs = value.kind === 'merged' ? inputsOf(value).map((input) => asElementwise(name, input)) : [];
  if (value.kind !== 'merged') {
    asElementwise(name, value.base);
    return undefined;
  }
  const method = findMethod(value.method);
  const known = inputs.filter((input) => input !== undefined);
  if (!('terms' in method) || known.length < inputs.length) return undefined;
  const terms = method.terms(value.params, value.weights);
  return sumOf(terms, known, value.models.length);
}

/** Holds only the inputs that terms name: others, like a model of weight 0, are not read. */
function sumOf(terms: readonly Term[], operands: readonly Elementwise[], baseAt: number): Sum {
  const inputs: Elementwise[] = [];
  const place = (input: number): number => {
    const operand = operands[input === BASE ? baseAt : input];
    if (!operand) throw new Error('a term names an input that is not there');
    if (!inputs.includes(operand)) inputs.push(operand);
    return inputs.indexOf(operand);
  };
  const huge = terms.find(({ weight }) => !Number.isFinite(Math.fround(weight)));
  if (huge)
    throw new LineageError('merge/weights', `expected weights that float32 can hold, got ${huge.weight}`);
  const placed = terms.map(({ weight, plus, minus }) => ({
    weight,
    plus: place(plus),
    ...(minus !== undefined && { minus: place(minus) }),
  }));
  return { kind: 'sum', inputs, terms: placed };
}

/** What a sum of one input alone is; it is copied, without arithmetic. */
function soleInput(value: Elementwise): Elementwise | undefined {
  if (value.kind !== 'sum') return undefined;
  const [term, more] = value.terms;
  return term && !more && term.weight === 1 && term.minus === undefined ? value.inputs[term.plus] : undefined;
}

function isSumOfStored(value: Elementwise, dtype: Dtype): value is StoredSum {
  return (
    value.kind === 'sum' && value.inputs.every((input) => input.kind === 'stored' && input.dtype === dtype)
  );
}

/**
 * Whether `next` goes on where `recipe` ends, in every input: then both are made as one tensor.
 *
 * @param elements how many `recipe` has, of all tensors that it goes over so far.
 */
export function goesOn(recipe: Recipe, next: Recipe, elements: number): boolean {
  if (recipe.dtype !== next.dtype) return false;
  if (recipe.way === 'copy' && next.way === 'copy') return valueGoesOn(recipe.from, next.from, elements);
  if (recipe.way === 'fused' && next.way === 'fused') return valueGoesOn(recipe.sum, next.sum, elements);
  if (recipe.way !== 'elementwise' || next.way !== 'elementwise') return false;
  return valueGoesOn(recipe.value, next.value, elements);
}

function valueGoesOn(a: Elementwise, b: Elementwise, elements: number): boolean {
  if (a.kind === 'stored' && b.kind === 'stored') {
    const bytes = (elements * bitsOf(a.dtype)) / 8;
    return a.file === b.file && a.dtype === b.dtype && b.offset === a.offset + bytes;
  }
  if (a.kind !== 'sum' || b.kind !== 'sum' || a.inputs.length !== b.inputs.length) return false;
  if (a.terms.length !== b.terms.length || !a.terms.every((term, i) => isSameTerm(term, b.terms[i])))
    return false;
  return a.inputs.every((input, i) => {
    const other = b.inputs[i];
    return other !== undefined && valueGoesOn(input, other, elements);
  });
}

function isSameTerm(a: Term, b: Term | undefined): boolean {
  // Object.is: a weight of -0 gives other bits than one of 0.
  return b !== undefined && Object.is(a.weight, b.weight) && a.plus === b.plus && a.minus === b.minus;
}

function refuse(tensor: string, dtype: Dtype): LineageError {
  return new LineageError(
    'merge/dtype',
    `expected floats to compute with, got ${dtype} in ${JSON.stringify(tensor)}`,
  );
}
