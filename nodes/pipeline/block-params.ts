import { MismatchError } from '../kit/errors.ts';
import { parseBlockWeights } from '../merge/architectures/block-weights.ts';
import { blockOf } from '../merge/architectures/blocks.ts';
import { checkParams } from '../merge/check-params.ts';
import type { AnyMethod, Params, ParamValues } from '../merge/method.ts';
import type { BlockMergeStep } from './manifest.ts';
import { architectureOf, type ModelView } from './view.ts';

/**
 * Parameters by the block that a tensor belongs to, checked once per block.
 *
 * @param primary tells the blocks there are.
 * @returns undefined for a tensor of no block, or of one without a value, where the step has no `rest`
 * @throws LineageError `pipeline/part` for a model of no known architecture, `merge/block-weights`, `merge/parameter`
 */
export function paramsByBlock(
  step: BlockMergeStep,
  method: AnyMethod,
  primary: ModelView,
): (name: string) => ParamValues<Params> | undefined {
  const architecture = architectureOf(primary);
  if (!architecture)
    throw new MismatchError('pipeline/part', {
      expected: 'a model of a known architecture',
      got: `${primary.label}, which was not recognised`,
    });
  const values = parseBlockWeights(spell(step.blocks), architecture, { names: primary.tensors.keys() });
  const at = (value: number): ParamValues<Params> =>
    checkParams(method, { ...step.params, [step.param]: value });
  const byBlock = new Map([...values].map(([block, value]) => [block, at(value)]));
  const rest = step.rest === undefined ? undefined : at(step.rest);
  return (name) => {
    const block = blockOf(name, architecture);
    return (block === undefined ? undefined : byBlock.get(block)) ?? rest;
  };
}

/** Values by name as the pairs that users also may write. */
function spell(blocks: BlockMergeStep['blocks']): string | readonly number[] {
  if (typeof blocks === 'string' || Array.isArray(blocks)) return blocks;
  return Object.entries(blocks)
    .map(([block, value]) => `${block}=${value}`)
    .join(', ');
}
