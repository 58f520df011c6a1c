import { blockNames, blockOf } from '../merge/architectures/blocks.ts';
import type { Architecture } from '../merge/architectures/define.ts';
import { addSums, type Sums } from './measure-tile.ts';

/** What was measured of one tensor. */
export type TensorSums = { readonly name: string; readonly sums: Sums };

/** What was measured, from the smallest to all. */
export type MeasuredModels = {
  /** In the order of the first model. */
  readonly tensors: readonly TensorSums[];
  /** In the order of the architecture; what belongs to no block comes last, as `other`. */
  readonly blocks: ReadonlyMap<string, Sums>;
  readonly whole: Sums;
};

/** What belongs to no block of the architecture. */
const OTHER = 'other';

/**
 * Adds tensors up to blocks and blocks to all, always in the same order.
 *
 * @param empty sums of nothing, for as many models.
 */
export function gatherBlocks(
  tensors: readonly TensorSums[],
  architecture: Architecture | undefined,
  empty: Sums,
): MeasuredModels {
  const names = tensors.map(({ name }) => name);
  const order = architecture ? blockNames(architecture, 'supermerger', names) : [];
  const blocks = new Map(order.map((block): [string, Sums | undefined] => [block, undefined]));
  for (const { name, sums } of tensors) {
    const block = (architecture && blockOf(name, architecture)) ?? OTHER;
    const before = blocks.get(block);
    blocks.set(block, before ? addSums(before, sums) : sums);
  }
  const held = [...blocks].flatMap(([block, sums]): [string, Sums][] => (sums ? [[block, sums]] : []));
  const ordered = [
    ...held.filter(([block]) => block !== OTHER),
    ...held.filter(([block]) => block === OTHER),
  ];
  return {
    tensors,
    blocks: new Map(ordered),
    whole: ordered.reduce((sum, [, sums]) => addSums(sum, sums), empty),
  };
}
