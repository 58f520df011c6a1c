import { LineageError } from '../../nodes/kit/errors.ts';
import type { OpenRun } from './open-run.ts';
import type { OutputState } from './output-state.ts';

/**
 * Before a byte is written: a run from a step on takes what comes before it for granted, so that must be there.
 *
 * @throws LineageError `pipeline/from-step`
 */
export async function refuseMissing(run: OpenRun): Promise<void> {
  for (const { id } of run.flats) for (const each of neededBefore(run, id)) await needWhole(run, each);
}

/** Earlier outputs: one that stays is needed itself, any other for the sake of a step that is made anew. */
function neededBefore({ scope, plan }: OpenRun, id: string): readonly string[] {
  const { runs, writes, output } = plan.step(id);
  if (runs === 'no') return [];
  const stays = scope.isFrozen(id) && writes === 'file' && !output?.isTemporary;
  const read = scope.isForced(id) ? plan.readsOf(id).filter((input) => scope.isFrozen(input)) : [];
  return stays ? [id, ...read] : read;
}

/** @throws LineageError `pipeline/from-step` where the output of an earlier step is not what the step would make */
export async function needWhole(run: OpenRun, id: string): Promise<void> {
  const state: OutputState = await run.stateOf(id);
  if (state === 'whole') return;
  const got = state === 'missing' ? 'none' : 'one that is not what the step would make';
  throw new LineageError('pipeline/from-step', `expected the output of the earlier step "${id}", got ${got}`);
}
