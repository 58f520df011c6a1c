import type { WorkStep } from './manifest.ts';
import { planConvert } from './plan-convert.ts';
import { planLoraMerge } from './plan-lora-merge.ts';
import { planMerge } from './plan-merge.ts';
import { precisionOf } from './step-output.ts';
import { emptyPlan, type StepInputs, type StepPlan } from './step-plan.ts';
import { storeAs } from './store-as.ts';
import { takePart } from './take-part.ts';

/** Plans one step: every check that the tensors allow, and the arithmetic of every tensor of the result. */
export function planStep(step: WorkStep, inputs: StepInputs): StepPlan {
  switch (step.type) {
    case 'merge':
    case 'block_merge':
      return planMerge(step, inputs);
    case 'lora_merge':
      return planLoraMerge(step, inputs);
    case 'convert':
      return planConvert(step, inputs);
    case 'extract':
      return planExtract(step, inputs);
    default:
      return emptyPlan();
  }
}

/** A LoRA is not taken out tensor by tensor: whoever runs the step does that. */
function planExtract(step: Extract<WorkStep, { readonly type: 'extract' }>, inputs: StepInputs): StepPlan {
  const model = inputs.model('model');
  if (!model || step.part === 'lora') return emptyPlan();
  const { tensors, findings } = takePart(inputs.id, model, step.part);
  return { ...emptyPlan(findings), view: storeAs({ label: inputs.id, tensors }, precisionOf(step)) };
}
