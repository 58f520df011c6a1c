import { defineNode, type InputsOf } from '../../kit/define-node.ts';
import { choice, text } from '../../kit/fields.ts';
import { isRecord } from '../../kit/is-record.ts';
import { parseBlockWeights } from '../architectures/block-weights.ts';
import { findArchitecture } from '../architectures/find.ts';
import { architectures } from '../architectures/index.gen.ts';
import type { Words } from './merge-value.ts';
import { parseJson, readNumber, wrongInput } from './step-words.ts';

/** The socket type of weights of blocks. */
export const LINEAGE_BLOCK_WEIGHTS = 'LINEAGE_BLOCK_WEIGHTS';

const ANY = 'any';
const USUAL_PARAM = 'alpha';
const families = architectures.map(({ family }) => family);

/** Inputs of the node. */
export const blockWeightsInputs = {
  architecture: choice([ANY, ...families], {
    default: ANY,
    tooltip: 'Checks the weights against the blocks of this family now; "any" leaves that to the merge.',
  }),
  blocks: text({
    default: 'GRAD_V',
    multiline: true,
    tooltip:
      'A preset such as GRAD_V (the help page lists them); 20 or 26 numbers in the order of the blocks; or pairs like IN00-IN05=0.3, M00=0.5, OUT*=1.',
  }),
  param: text({
    default: USUAL_PARAM,
    optional: true,
    advanced: true,
    tooltip: 'The parameter of the method that the weights set.',
  }),
  rest: text({
    default: '',
    optional: true,
    advanced: true,
    tooltip: 'The weight of what belongs to no block; empty: it stays as in the first model.',
  }),
};

/**
 * The words of a block merge: `blocks`, `param`, `rest`.
 * @throws LineageError `merge/graph`, `merge/block-weights`
 */
export function blockWeightsOf(inputs: InputsOf<typeof blockWeightsInputs>): Words {
  const typed = inputs.blocks.trim();
  const blocks = /^[[{]/.test(typed) ? parseJson(typed, 'blocks') : typed;
  if (inputs.architecture !== ANY) checkBlocks(blocks, inputs.architecture);
  const [param, rest] = [inputs.param?.trim() || USUAL_PARAM, inputs.rest?.trim() ?? ''];
  return {
    blocks,
    ...(param !== USUAL_PARAM && { param }),
    ...(rest !== '' && { rest: readNumber(rest, 'rest') }),
  };
}

function checkBlocks(blocks: unknown, architecture: string): void {
  const of = findArchitecture(architecture);
  if (typeof blocks === 'string') parseBlockWeights(blocks, of);
  else if (Array.isArray(blocks) && blocks.every((each): each is number => typeof each === 'number'))
    parseBlockWeights(blocks, of);
  else if (isRecord(blocks))
    parseBlockWeights(
      Object.entries(blocks)
        .map(([block, weight]) => `${block}=${String(weight)}`)
        .join(', '),
      of,
    );
  else throw wrongInput('blocks', 'a list of numbers', JSON.stringify(blocks));
}

/** The parameter that the words of a block merge set. */
export function blockParamOf({ param }: Words): string {
  return typeof param === 'string' ? param : USUAL_PARAM;
}

/** What arrives on a socket for weights of blocks. @throws LineageError `merge/graph` */
export function parseBlockWords(value: unknown): Words {
  if (isRecord(value) && 'blocks' in value) return value;
  throw wrongInput('blocks', 'what Block Weights puts out', typeof value);
}

export default defineNode({
  id: 'LineageBlockWeights',
  title: 'Block Weights',
  category: 'lineage/merge',
  description: 'How much of the second model each block of a merge takes.',
  inputs: blockWeightsInputs,
  outputs: { blocks: { type: LINEAGE_BLOCK_WEIGHTS, tooltip: 'For the input blocks of Merge.' } },
  run: async (inputs) => ({ outputs: { blocks: blockWeightsOf(inputs) } }),
});
