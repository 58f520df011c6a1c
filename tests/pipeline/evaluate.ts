import { findMethod } from '../../nodes/merge/find-method.ts';
import type { Operand } from '../../nodes/merge/job.ts';
import { BASE } from '../../nodes/merge/method.ts';
import { runMethod } from '../../nodes/merge/run-method.ts';

/** What an operand comes to, in float32: the plan without files, workers or rounding to an output's type. */
export function evaluate(
  value: Operand,
  read: (file: number, offset: number) => readonly number[],
): readonly number[] {
  if (value.kind === 'stored') return read(value.file, value.offset);
  if (value.kind !== 'merged') throw new Error(`no numbers for ${value.kind}`);
  const models = value.models.map((model) => evaluate(model, read));
  const base = value.base && evaluate(value.base, read);
  const out: number[] = [];
  runMethod(
    findMethod(value.method),
    {
      name: value.name,
      shape: value.shape,
      weights: value.weights,
      params: value.params,
      survey: [],
      index: 0,
      hasBase: base !== undefined,
      read: (input, start, into) =>
        into.set(((input === BASE ? base : models[input]) ?? []).slice(start, start + into.length)),
    },
    (_, elements) => out.push(...elements),
  );
  return out;
}
