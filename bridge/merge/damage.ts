import type { EncodeCounts } from '../../nodes/formats/floats.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { MergeJob } from '../../nodes/merge/job.ts';
import type { FloatKernels } from '../../nodes/merge/kernels/kernels.ts';
import { type Plan, piecesOf, type Unit } from './plan.ts';
import type { Leaf } from './recipe.ts';
import type { FoundNotFinite, InputFile } from './samples.ts';

/** What was wrong with the numbers of one tensor. */
export type Damage = {
  /** Elements of its inputs that are NaN or infinite. */
  readonly notFinite: number;
  /** Values that became infinite, or NaN, because the type of the output does not reach as far. */
  readonly overflowed: number;
  /** Results that are NaN. */
  readonly nan: number;
};

/** Damage that one unit adds to a tensor of the plan. */
export type UnitDamage = Damage & { readonly tensor: number };

/** Counts what one unit meets. Elements are counted from the first of the unit's run. */
export type DamageCount = {
  /** @throws LineageError `merge/not-finite` where the job says so */
  readonly found: FoundNotFinite;
  /** Elements that are copied: never an error. */
  copied(start: number, count: number, countIn: (start: number, count: number) => number): void;
  /** @param redo computes some of the elements again, to tell the tensors apart. */
  made(
    start: number,
    count: number,
    all: EncodeCounts,
    redo: (start: number, count: number) => EncodeCounts,
  ): void;
  /** One row a tensor that has any. */
  rows(): readonly UnitDamage[];
};

/** @param elementBytes of the output. */
export function countDamage(
  plan: Plan,
  unit: Unit,
  elementBytes: number,
  kernels: FloatKernels,
  files: readonly InputFile[],
  policy: MergeJob['notFinite'],
): DamageCount {
  const rows = new Map<number, { tensor: number; notFinite: number; overflowed: number; nan: number }>();
  const begin = plan.begins[unit.run.first] ?? 0;

  function add(tensor: number, { notFinite = 0, overflowed = 0, nan = 0 }: Partial<Damage>): void {
    const row = rows.get(tensor) ?? { tensor, notFinite: 0, overflowed: 0, nan: 0 };
    if (notFinite + overflowed + nan === 0) return;
    rows.set(tensor, row);
    row.notFinite += notFinite;
    row.overflowed += overflowed;
    row.nan += nan;
  }

  /** The tensors among these elements, and the elements of each. */
  function* split(start: number, count: number): Generator<[tensor: number, start: number, count: number]> {
    const range = { run: unit.run, at: begin + start * elementBytes, bytes: count * elementBytes };
    for (const { tensor, at, bytes } of piecesOf(plan, range)) {
      yield [tensor, (at - begin) / elementBytes, bytes / elementBytes];
    }
  }

  return {
    found(leaf, start, count, address) {
      for (const [tensor, from, length] of split(start, count)) {
        const notFinite = kernels.countNotFinite('F32', address + 4 * (from - start), length);
        if (notFinite > 0 && policy === 'error') throw refuse(plan.names[tensor], notFinite, leaf, files);
        add(tensor, { notFinite });
      }
    },
    copied(start, count, countIn) {
      if (countIn(start, count) === 0) return;
      for (const [tensor, from, length] of split(start, count))
        add(tensor, { notFinite: countIn(from, length) });
    },
    made(start, count, all, redo) {
      if (all.overflowed + all.nan === 0) return;
      const pieces = [...split(start, count)];
      for (const [tensor, from, length] of pieces)
        add(tensor, pieces.length === 1 ? all : redo(from, length));
    },
    rows: () => [...rows.values()],
  };
}

function refuse(
  tensor: string | undefined,
  count: number,
  leaf: Leaf,
  files: readonly InputFile[],
): LineageError {
  const path = leaf.kind === 'stored' ? files[leaf.file]?.path : undefined;
  return new LineageError(
    'merge/not-finite',
    `expected finite numbers, got ${count} NaN or infinite ones in an input of ${JSON.stringify(tensor)}`,
    path === undefined ? {} : { file: path },
  );
}
