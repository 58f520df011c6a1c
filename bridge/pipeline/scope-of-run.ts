import { LineageError } from '../../nodes/kit/errors.ts';
import { nearestWord } from '../../nodes/kit/nearest-word.ts';
import { leavesOf } from '../../nodes/pipeline/conditions.ts';
import type { FlatStep } from '../../nodes/pipeline/expand.ts';

/** Which steps a run is about. */
export type RunScope = {
  /** Made anew, whatever is there. */
  isForced(id: string): boolean;
  /** Comes before the step to begin with: it is taken as it is. */
  isFrozen(id: string): boolean;
};

/**
 * Without a step to begin with nothing is forced and nothing frozen. With one, it and all that use its result are forced.
 *
 * @throws LineageError `pipeline/unknown-step`
 */
export function scopeOfRun(flats: readonly FlatStep[], from: string | undefined): RunScope {
  if (from === undefined) return { isForced: () => false, isFrozen: () => false };
  const isNamed = (id: string): boolean => id === from || id.startsWith(`${from}[`);
  const first = flats.findIndex(({ id }) => isNamed(id));
  if (first < 0) {
    const ids = flats.map(({ id }) => id);
    const nearest = nearestWord(from, ids);
    const expected = nearest === undefined ? `one of ${ids.join(', ')}` : `a step, perhaps "${nearest}"`;
    throw new LineageError('pipeline/unknown-step', `--from-step: expected ${expected}, got "${from}"`);
  }
  const forced = new Set<string>();
  for (const { id, inputs, needs } of flats) {
    const used = [...inputs.values()]
      .flatMap(leavesOf)
      .flatMap((leaf) => (leaf.kind === 'step' ? [leaf.id] : []));
    if (isNamed(id) || [...used, ...needs].some((each) => forced.has(each))) forced.add(id);
  }
  const frozen = new Set(flats.slice(0, first).map(({ id }) => id));
  return { isForced: (id) => forced.has(id), isFrozen: (id) => frozen.has(id) };
}
