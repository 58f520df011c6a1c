import type { Recipe } from './recipe.ts';

/** Tensors that lie one behind the other in all files and are made alike: one recipe makes them all. */
export type Run = {
  readonly recipe: Recipe;
  /** First and last of them in `Plan.names`. */
  readonly first: number;
  readonly last: number;
};

/** Everything decided that threads need. Plain data; the numbers lie in memory that threads share. */
export type Plan = {
  /** Of the tensors that have elements, in the order of the output file. */
  readonly names: readonly string[];
  /** Where each begins in the output, and behind the last one where the file ends. */
  readonly begins: Float64Array<SharedArrayBuffer>;
  readonly runs: readonly Run[];
  /** Units in the order of the file, all of it: the run, the offset in the output and the bytes of each. */
  readonly units: Float64Array<SharedArrayBuffer>;
  readonly unitCount: number;
  /** Buffers of a thread: enough for the inputs of every recipe. */
  readonly buffers: number;
};

/** What is made, written and checked in one go. */
export type Unit = { readonly run: Run; readonly at: number; readonly bytes: number };

/** Part of a unit that lies in one tensor. */
export type Piece = { readonly tensor: number; readonly at: number; readonly bytes: number };

export const UNIT_FIELDS = 3;

export function unitOf({ runs, units }: Plan, index: number): Unit {
  const [run, at, bytes] = units.subarray(index * UNIT_FIELDS, (index + 1) * UNIT_FIELDS);
  const found = runs[run ?? -1];
  if (!found || at === undefined || bytes === undefined) throw new Error(`no unit ${index}`);
  return { run: found, at, bytes };
}

/** Where the first tensor of a run begins in the output. */
export function beginOf({ begins }: Plan, { first }: Run): number {
  return begins[first] ?? 0;
}

/** The parts of a unit, one for each tensor that it touches. */
export function piecesOf({ begins }: Plan, { run, at, bytes }: Unit): Piece[] {
  const pieces: Piece[] = [];
  const end = at + bytes;
  for (let tensor = lastBegunAt(begins, at, run); (begins[tensor] ?? end) < end; tensor++) {
    const from = Math.max(begins[tensor] ?? 0, at);
    pieces.push({ tensor, at: from, bytes: Math.min(begins[tensor + 1] ?? 0, end) - from });
  }
  return pieces;
}

/** The tensor of a run in which a place lies: halving, since runs may have very many. */
function lastBegunAt(begins: Float64Array, at: number, { first, last }: Run): number {
  let [low, high] = [first, last];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((begins[middle] ?? 0) <= at) low = middle;
    else high = middle - 1;
  }
  return low;
}
