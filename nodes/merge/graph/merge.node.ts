import { defineNode, type InputsOf } from '../../kit/define-node.ts';
import { custom, dynamicChoice, text, type WidgetField } from '../../kit/fields.ts';
import { isRecord } from '../../kit/is-record.ts';
import { findMethod } from '../find-method.ts';
import { mergeMethods } from '../methods/index.gen.ts';
import { blockParamOf, LINEAGE_BLOCK_WEIGHTS, parseBlockWords } from './block-weights.node.ts';
import { joinSteps, LINEAGE_MERGE, type MergeValue, parseMergeValue, type Words } from './merge-value.ts';
import { addTyped, fieldsOf } from './method-inputs.ts';
import { parseParams } from './params-text.ts';
import { parseMore, parseWeights, stepIdOf, wrongInput } from './step-words.ts';

/** The sum as written, which is no method of its own. */
export const PLAIN_SUM = 'sum';

const merge = (tooltip: string, advanced = false) =>
  custom(LINEAGE_MERGE, { optional: true, advanced, tooltip, parse: parseMergeValue });

/** What a new node merges by. */
const FIRST = 'weighted-sum';

/** Every method by id, with a widget for each of its parameters. */
const methodFields: Readonly<Record<string, Readonly<Record<string, WidgetField>>>> = Object.fromEntries([
  [FIRST, fieldsOf(findMethod(FIRST).params)],
  [PLAIN_SUM, {}],
  ...mergeMethods.filter(({ id }) => id !== FIRST).map(({ id, params }) => [id, fieldsOf(params)]),
]);

/** Inputs of the node. */
export const mergeInputs = {
  method: dynamicChoice(methodFields, {
    tooltip:
      'How the models are merged, with the parameters that the method takes. sum: models times weights.',
  }),
  params: text({
    default: '',
    advanced: true,
    tooltip: 'Parameters as text, for example: alpha=0.35. What is named here counts instead of its widget.',
  }),
  weights: text({
    default: '',
    tooltip: 'Weights of model1, model2 and so on, for example: 0.6, 0.4. Empty: all count alike.',
  }),
  model1: merge('The first model: A.'),
  model2: merge('The second model: B.'),
  model3: merge('The third model: C.'),
  model4: merge('The fourth model.'),
  model5: merge('The fifth model.', true),
  model6: merge('The sixth model.', true),
  model7: merge('The seventh model.', true),
  model8: merge('The eighth model.', true),
  base: merge('What the models grew from, for methods that compare them with it.'),
  vae: merge('A model whose VAE replaces the one of the result.'),
  blocks: custom(LINEAGE_BLOCK_WEIGHTS, {
    optional: true,
    tooltip: 'Weights by block; they set the parameter alpha of the method.',
    parse: parseBlockWords,
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
    tooltip: 'Further keys of the step as JSON, for example {"prune": true, "missing": "base"}.',
  }),
};

/** Places of a merge step that hold references, and the inputs they come from. */
const MODELS = ['model1', 'model2', 'model3', 'model4', 'model5', 'model6', 'model7', 'model8'] as const;
/** How many models the node takes. */
export const MERGE_MODELS = MODELS.length;
const TAKEN = ['id', 'type', 'method', 'params', 'models', 'base', 'vae', 'blocks', 'param', 'rest'];

/**
 * A merge step with all that it merges.
 * @throws LineageError `merge/graph`, `merge/parameter`
 */
export function mergeOf(inputs: InputsOf<typeof mergeInputs>, nodeId: string): MergeValue {
  const given = MODELS.flatMap((name) => (inputs[name] ? [inputs[name]] : []));
  if (given.length === 0) throw wrongInput('model1', 'a model', '');
  const { chosen, inputs: typed } = inputs.method;
  const isPlain = chosen === PLAIN_SUM;
  if (isPlain && inputs.blocks) throw wrongInput('blocks', 'a method with a parameter to set', PLAIN_SUM);
  if (isPlain && inputs.params.trim() !== '') throw wrongInput('params', 'none for a sum', inputs.params);
  const weights = parseWeights(inputs.weights, given.length);
  if (inputs.blocks && weights.some((weight) => weight !== undefined))
    throw wrongInput('weights', 'none beside weights of blocks', inputs.weights);
  const { refs, ...more } = parseMore(inputs.more, TAKEN);
  const refer = (value: MergeValue | undefined, input: string, place: string): Words =>
    value ? { ...referenceTo(value, input), ...detailsOf(refs, place) } : {};
  const params = isPlain ? {} : paramsOf(chosen, typed, inputs);
  const id = stepIdOf(inputs.step, 'merge', nodeId);
  const step = {
    id,
    type: inputs.blocks ? 'block_merge' : 'merge',
    ...(!isPlain && { method: chosen }),
    models: given.map((value, index) => ({
      ...refer(value, `model${index + 1}`, `models[${index}]`),
      ...(weights[index] !== undefined && { weight: weights[index] }),
    })),
    ...(inputs.base && { base: refer(inputs.base, 'base', 'base') }),
    ...(inputs.vae && { vae: refer(inputs.vae, 'vae', 'vae') }),
    ...(Object.keys(params).length > 0 && { params }),
    ...inputs.blocks,
    ...more,
  };
  const before = [...given, inputs.base, inputs.vae].map((value) => value?.steps ?? []);
  return { steps: joinSteps([...before, [step]]), result: { step: id } };
}

function paramsOf(
  id: string,
  typed: Words,
  { params, blocks }: Pick<InputsOf<typeof mergeInputs>, 'params' | 'blocks'>,
): Words {
  const method = findMethod(id);
  // What the blocks set, its widget does not.
  const left = blocks ? { ...typed, [blockParamOf(blocks)]: undefined } : typed;
  return addTyped(left, parseParams(params, method), method.params);
}

/** What a step refers to by a merge. @throws LineageError `merge/graph` for one that only looks at models */
export function referenceTo({ result }: MergeValue, input: string): Words {
  if (!result) throw wrongInput(input, 'a model', 'a check of one');
  return result;
}

/** What `more` says of a reference: `{"refs": {"models[0]": {"description": "…"}}}`. */
export function detailsOf(refs: unknown, place: string): Words {
  const details = isRecord(refs) && Object.hasOwn(refs, place) ? refs[place] : undefined;
  if (details === undefined) return {};
  if (isRecord(details) && !('path' in details || 'step' in details || 'weight' in details)) return details;
  throw wrongInput(
    'more',
    `words of the reference ${place} beside path, step and weight`,
    JSON.stringify(details),
  );
}

export default defineNode({
  id: 'LineageMerge',
  title: 'Merge',
  category: 'lineage/merge',
  description:
    'One step of a merge: two or more models, by any method. Chain several; Run Merge makes the file.',
  inputs: mergeInputs,
  outputs: { merge: { type: LINEAGE_MERGE, tooltip: 'The merged model, for further steps or Run Merge.' } },
  run: async (inputs, host) => ({ outputs: { merge: mergeOf(inputs, host.nodeId) } }),
});
