import { type ApiNode, isApiLink } from '../../../nodes/kit/api-prompt.ts';
import type { RunInputs } from '../../../nodes/kit/graph-node.ts';
import type { LiveInputs } from '../nodes/live-inputs.ts';
import { NodeInputError } from './node-error.ts';
import type { Filling, NodeShape } from './node-shape.ts';
import { toRunValue } from './run-value.ts';

/** A node's inputs as lists, one element a call. */
export type GatheredInputs = {
  readonly lists: ReadonlyMap<string, readonly unknown[]>;
  /** Links without a result: not computed yet, or the source has no such slot. Their list is one undefined. */
  readonly missing: ReadonlySet<string>;
  /** Where inputs inside dynamic combos go in a call. */
  readonly paths: LiveInputs['paths'];
};

const NOTHING: readonly unknown[] = [undefined];

/**
 * Collects what a node is called with. Links to undeclared inputs are passed on, undeclared literals only to a class
 * that accepts all inputs.
 *
 * @param read elements that have come through a link; undefined where none have.
 * @param fill what a hidden input holds.
 */
export function gatherInputs(
  node: ApiNode,
  shape: NodeShape,
  read: (from: string, slot: number) => readonly unknown[] | undefined,
  fill: (filling: Filling) => unknown,
): GatheredInputs {
  const lists = new Map<string, readonly unknown[]>();
  const missing = new Set<string>();
  const { inputs, paths } = shape.live(node.inputs);
  for (const name of Object.keys(node.inputs)) {
    const value = node.inputs[name];
    const declared = inputs.get(name);
    if (isApiLink(value) && !declared?.rawLink) {
      const elements = read(value[0], value[1]);
      if (!elements) missing.add(name);
      lists.set(name, elements ?? NOTHING);
    } else if (declared || shape.node.acceptsAllInputs) {
      lists.set(name, [toRunValue(value, declared?.type)]);
    }
  }
  for (const { name, filling } of shape.filled) lists.set(name, [fill(filling)]);
  return { lists, missing, paths };
}

/** How often a node is called: as often as its longest list; once without inputs, or for a class that takes lists. */
export function countCalls({ lists }: GatheredInputs, takesLists: boolean): number {
  if (takesLists) return 1;
  let longest = 0;
  for (const list of lists.values()) longest = Math.max(longest, list.length);
  return Math.max(longest, 1);
}

/**
 * The inputs of one call by dotted name; a list that is too short repeats its last element. When every list is empty the one call
 * gets no inputs, as in ComfyUI.
 *
 * @throws NodeInputError for an empty list beside others that are not
 */
export function inputsOfCall({ lists }: GatheredInputs, index: number, takesLists: boolean): RunInputs {
  const inputs: Record<string, unknown> = Object.create(null);
  let empty: string | undefined;
  let filled = false;
  for (const [name, list] of lists) {
    if (takesLists) inputs[name] = list;
    else if (list.length === 0) empty = name;
    else {
      filled = true;
      inputs[name] = list[Math.min(index, list.length - 1)];
    }
  }
  if (empty !== undefined && filled) {
    throw new NodeInputError(`expected at least one element for input ${empty}, got an empty list`);
  }
  return inputs;
}
