import { defineNode, type InputsOf } from '../../kit/define-node.ts';
import { model, text } from '../../kit/fields.ts';
import { LINEAGE_MERGE, type MergeValue } from './merge-value.ts';
import { parseMore } from './step-words.ts';

/** Inputs of the node. */
export const sourceInputs = {
  model_name: model({
    folders: ['checkpoints', 'diffusion_models', 'vae'],
    tooltip: 'A checkpoint, or a VAE to put into one.',
  }),
  more: text({
    default: '',
    optional: true,
    advanced: true,
    tooltip:
      'Further keys of the reference as JSON, for example {"architecture": "SDXL"}: another one is an error.',
  }),
};

/** A file as a merge. @throws LineageError `merge/graph` */
export function sourceOf({ model_name, more }: InputsOf<typeof sourceInputs>): MergeValue {
  return { steps: [], result: { path: model_name, ...parseMore(more, ['path', 'step', 'weight']) } };
}

export default defineNode({
  id: 'LineageMergeSource',
  title: 'Merge Source',
  category: 'lineage/merge',
  description:
    'A model file to merge. Nothing is loaded: the file is read where the merge runs, piece by piece.',
  inputs: sourceInputs,
  outputs: { merge: { type: LINEAGE_MERGE, tooltip: 'The file, for the merge nodes.' } },
  run: async (inputs) => ({ outputs: { merge: sourceOf(inputs) } }),
});
