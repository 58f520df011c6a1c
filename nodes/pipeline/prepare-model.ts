import type { Finding } from './finding.ts';
import type { WorkStep } from './manifest.ts';
import { pruneView } from './prune.ts';
import type { StepInputs, StepPlan } from './step-plan.ts';
import { replaceVae } from './take-part.ts';
import type { ModelView } from './view.ts';

/** A model that a step changes, without what it drops and with the VAE that it asks for. */
export type PreparedModel = {
  readonly model: ModelView;
  readonly pruned: StepPlan['pruned'];
  readonly findings: readonly Finding[];
};

/**
 * The one model that a step goes out from.
 *
 * @returns undefined where it or its VAE is not known yet.
 */
export function prepareModel(
  step: Extract<WorkStep, { readonly type: 'lora_merge' | 'convert' }>,
  inputs: StepInputs,
): PreparedModel | undefined {
  const given = inputs.model('model');
  const vae = step.vae && inputs.model('vae');
  if (!given || (step.vae && !vae)) return undefined;
  const { view, pruned } = pruneView(given, step.prune);
  const { tensors, findings } = vae ? replaceVae(inputs.id, view, vae) : { ...view, findings: [] };
  return {
    model: { ...view, tensors },
    pruned: new Map(pruned.length > 0 ? [[given.label, pruned]] : []),
    findings,
  };
}
