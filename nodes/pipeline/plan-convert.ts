import { convertNames, KEY_SPACES } from './convert-names.ts';
import { fail } from './finding.ts';
import type { WorkStep } from './manifest.ts';
import { isPositionIds, rightPositionIds } from './position-ids.ts';
import { prepareModel } from './prepare-model.ts';
import { precisionOf } from './step-output.ts';
import { emptyPlan, type StepInputs, type StepPlan } from './step-plan.ts';
import { storeAs } from './store-as.ts';
import type { ViewTensor } from './view.ts';

/** Plans a conversion: what is dropped, the VAE, the names, the positions of CLIP, the precision. */
export function planConvert(
  step: Extract<WorkStep, { readonly type: 'convert' }>,
  inputs: StepInputs,
): StepPlan {
  const prepared = prepareModel(step, inputs);
  if (!prepared) return emptyPlan();
  const { model, pruned, findings } = prepared;
  const space = KEY_SPACES.find((each) => each === step.key_space);
  if (step.key_space !== undefined && !space) {
    const expected = `one of ${KEY_SPACES.join(', ')}`;
    const got = `"${step.key_space}"`;
    return emptyPlan([fail('pipeline/malformed', { step: inputs.id, where: 'key_space', expected, got })]);
  }
  const named = space ? convertNames(inputs.id, model, space) : { tensors: model.tensors, findings: [] };
  const tensors = [...named.tensors].map(([name, tensor]): [string, ViewTensor] => [
    name,
    isPositionIds(name, tensor) ? rightPositionIds() : tensor,
  ]);
  return {
    view: storeAs({ ...model, label: inputs.id, tensors: new Map(tensors) }, precisionOf(step)),
    findings: [...findings, ...named.findings],
    pruned,
  };
}
