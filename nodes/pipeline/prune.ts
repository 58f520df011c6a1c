import { emaNameOf, listPruned, type Pruned } from '../merge/architectures/parts.ts';
import { architectureOf, type ModelView, orUnknown, type ViewTensor } from './view.ts';

/** A model without what training left in it, and what that was. */
export type PrunedView = { readonly view: ModelView; readonly pruned: readonly Pruned[] };

/**
 * Leaves out moving averages, states of optimizers and leftovers of training. Markers always stay.
 *
 * @param how `ema`: a weight that has a moving average is replaced by it; in its own element type.
 */
export function pruneView(view: ModelView, how: boolean | 'ema'): PrunedView {
  if (how === false) return { view, pruned: [] };
  const pruned = listPruned(view.tensors.keys(), orUnknown(architectureOf(view)));
  const gone = new Set(pruned.map(({ name }) => name));
  const kept = [...view.tensors].flatMap(([name, tensor]): [string, ViewTensor][] => {
    if (gone.has(name)) return [];
    const average = how === 'ema' ? view.tensors.get(emaNameOf(name) ?? '') : undefined;
    return [[name, average && sameShape(average, tensor) ? average : tensor]];
  });
  return { view: { ...view, tensors: new Map(kept) }, pruned };
}

function sameShape(a: ViewTensor, b: ViewTensor): boolean {
  return a.shape.length === b.shape.length && a.shape.every((side, axis) => side === b.shape[axis]);
}
