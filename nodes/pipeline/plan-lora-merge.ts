import { adaptTensors } from './adapt-tensors.ts';
import type { WorkStep } from './manifest.ts';
import { prepareModel } from './prepare-model.ts';
import { refuseScaled } from './refuse-models.ts';
import { precisionOf } from './step-output.ts';
import { emptyPlan, type StepInputs, type StepPlan } from './step-plan.ts';
import { storeAs } from './store-as.ts';

/** Plans adapters into the weights of a model, each with its strength. */
export function planLoraMerge(
  step: Extract<WorkStep, { readonly type: 'lora_merge' }>,
  inputs: StepInputs,
): StepPlan {
  const prepared = prepareModel(step, inputs);
  if (!prepared) return emptyPlan();
  const { model, pruned, findings } = prepared;
  const adapters = step.loras.flatMap(({ strength }, index) => {
    const view = inputs.model(`loras[${index}]`);
    return view ? [{ strength, view }] : [];
  });
  if (adapters.length < step.loras.length) return emptyPlan();
  const unfit = refuseScaled(inputs.id, [model]);
  if (unfit.length > 0) return emptyPlan(unfit);
  const adapted = adaptTensors(inputs.id, model, adapters);
  return {
    view: storeAs({ ...model, label: inputs.id, tensors: adapted.tensors }, precisionOf(step)),
    findings: [...findings, ...adapted.findings],
    pruned,
    hits: adapted.hits,
  };
}
