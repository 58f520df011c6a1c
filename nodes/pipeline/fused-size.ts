import { leavesOf } from './conditions.ts';
import type { Destination } from './destination.ts';
import type { FlatStep } from './expand.ts';
import { type Finding, fail } from './finding.ts';

/** A value that nests deeper would take too much of the stacks of those that walk it, and a larger one of their time. */
const MAX_DEPTH = 64;
const MAX_VALUES = 1024;

/** How deep the values of a fused step nest, and how many there are in one. */
type Size = { readonly depth: number; readonly values: number };

/** The fused steps, by id, whose values would grow too large; what goes out from one of them is counted anew. */
export function findOversized(
  flats: readonly FlatStep[],
  destinations: ReadonlyMap<string, Destination>,
): ReadonlySet<string> {
  const sizes = new Map<string, Size>();
  const oversized = new Set<string>();
  for (const flat of flats) {
    if (destinations.get(flat.id)?.writes !== 'fused') continue;
    const below = [...flat.inputs.values()].flatMap(leavesOf).flatMap((leaf) => {
      const size = leaf.kind === 'step' && !oversized.has(leaf.id) ? sizes.get(leaf.id) : undefined;
      return size ? [size] : [];
    });
    const depth = 1 + below.reduce((most, each) => Math.max(most, each.depth), 0);
    const values = below.reduce((sum, each) => sum + each.values, 1);
    sizes.set(flat.id, { depth, values });
    if (depth > MAX_DEPTH || values > MAX_VALUES) oversized.add(flat.id);
  }
  return oversized;
}

/** Says that a fused step is one too many. */
export function refuseOversized(step: string): Finding {
  const expected = `at most ${MAX_DEPTH} fused steps one on top of the other, and ${MAX_VALUES} in one result`;
  return fail('pipeline/mode', { step, expected, got: 'more' });
}
