/**
 * Where a tensor of another naming lies in the canonical one: the whole of `name`, or its `rows` (first axis, from
 * start to before end). `turn`: the values must be turned besides: `transposed` (a matrix, rows for columns), or
 * `halves-swapped` (the second half of the rows stands first).
 */
export type Placement = {
  readonly name: string;
  readonly rows?: readonly [start: number, end: number];
  readonly turn?: 'transposed' | 'halves-swapped';
};

/** A tensor in another naming, and its place. */
export type NamedTensor = { readonly name: string; readonly place: Placement };

/** Weight and bias of a module that is the same in both. */
export function sameParameters(name: string, canonical: string): readonly NamedTensor[] {
  return ['weight', 'bias'].map((parameter) => ({
    name: `${name}.${parameter}`,
    place: { name: `${canonical}.${parameter}` },
  }));
}

/** Weight and bias of a module that is some rows of a fused one. */
export function rowsOf(
  name: string,
  canonical: (parameter: string) => string,
  rows: readonly [number, number],
): readonly NamedTensor[] {
  return ['weight', 'bias'].map((parameter) => ({
    name: `${name}.${parameter}`,
    place: { name: canonical(parameter), rows },
  }));
}
