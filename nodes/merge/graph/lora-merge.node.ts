import { defineNode, type InputsOf } from '../../kit/define-node.ts';
import { custom, model, number, text } from '../../kit/fields.ts';
import { detailsOf, referenceTo } from './merge.node.ts';
import {
  joinSteps,
  LINEAGE_MERGE,
  type MergeValue,
  parseMergeValue,
  type StepWords,
  type Words,
} from './merge-value.ts';
import { parseMore, stepIdOf, wrongInput } from './step-words.ts';

/** Inputs of the node. */
export const loraMergeInputs = {
  lora_name: model({ folders: ['loras'], tooltip: 'The LoRA to put into the weights.' }),
  strength: number({
    default: 1,
    min: -100,
    max: 100,
    step: 0.05,
    tooltip: 'How strongly; negative takes away what the LoRA adds.',
  }),
  merge: custom(LINEAGE_MERGE, {
    optional: true,
    tooltip: 'The model. From another LoRA Merge: both LoRAs go in at once, rounded once.',
    parse: parseMergeValue,
  }),
  vae: custom(LINEAGE_MERGE, {
    optional: true,
    advanced: true,
    tooltip: 'A model whose VAE replaces the one of the result.',
    parse: parseMergeValue,
  }),
  step: text({
    default: '',
    optional: true,
    advanced: true,
    tooltip: 'Id of the step in the manifest; empty: one of its own.',
  }),
  more: text({
    default: '',
    optional: true,
    advanced: true,
    tooltip: 'Further keys of the step as JSON, for example {"prune": true}.',
  }),
};

const KIND = 'lora_merge';
const TAKEN = ['id', 'type', 'model', 'loras', 'vae'];
const PLAIN_KEYS = ['id', 'type', 'model', 'loras'];

/**
 * A step that puts a LoRA into the weights; into the step before, where that is nothing but a LoRA Merge without an id
 * of its own.
 *
 * @throws LineageError `merge/graph`
 */
export function loraMergeOf(inputs: InputsOf<typeof loraMergeInputs>, nodeId: string): MergeValue {
  if (!inputs.merge) throw wrongInput('merge', 'a model', '');
  const { refs, ...more } = parseMore(inputs.more, TAKEN);
  const id = stepIdOf(inputs.step, KIND, nodeId);
  const lora = {
    path: inputs.lora_name,
    ...detailsOf(refs, 'lora'),
    ...(inputs.strength !== 1 && { strength: inputs.strength }),
  };
  const chained = chainedIn(inputs.merge);
  const model = chained
    ? chained.model
    : { ...referenceTo(inputs.merge, 'merge'), ...detailsOf(refs, 'model') };
  const step = {
    id,
    type: KIND,
    model,
    loras: [...(chained?.loras ?? []), lora],
    ...(inputs.vae && { vae: { ...referenceTo(inputs.vae, 'vae'), ...detailsOf(refs, 'vae') } }),
    ...more,
  };
  const before = chained?.before ?? inputs.merge.steps;
  return { steps: joinSteps([before, inputs.vae?.steps ?? [], [step]]), result: { step: id } };
}

function chainedIn({
  steps,
  result,
}: MergeValue):
  | { readonly model: unknown; readonly loras: readonly Words[]; readonly before: readonly StepWords[] }
  | undefined {
  const step = steps.find(({ id }) => id === result?.['step']);
  if (!step?.id.startsWith(`${KIND}_`) || step['type'] !== KIND || !Array.isArray(step['loras']))
    return undefined;
  if (Object.keys(step).some((key) => !PLAIN_KEYS.includes(key))) return undefined;
  return { model: step['model'], loras: step['loras'], before: steps.filter((each) => each !== step) };
}

export default defineNode({
  id: 'LineageLoraMerge',
  title: 'LoRA Merge',
  category: 'lineage/merge',
  description: 'Puts a LoRA into the weights of a model. Chain several for more.',
  inputs: loraMergeInputs,
  outputs: { merge: { type: LINEAGE_MERGE, tooltip: 'The model with the LoRA in it.' } },
  run: async (inputs, host) => ({ outputs: { merge: loraMergeOf(inputs, host.nodeId) } }),
});
