import type { Pruned } from '../merge/architectures/parts.ts';
import { chooseArithmetic, weightsOf } from './choose-arithmetic.ts';
import type { BlockMergeStep, MergeStep } from './manifest.ts';
import { mergeTensors } from './merge-tensors.ts';
import { pruneView } from './prune.ts';
import { refuseMixedFamilies, refuseScaled } from './refuse-models.ts';
import { precisionOf } from './step-output.ts';
import { emptyPlan, type StepInputs, type StepPlan } from './step-plan.ts';
import { storeAs } from './store-as.ts';
import { replaceVae } from './take-part.ts';
import { alignNames, architectureOf, type ModelView } from './view.ts';

/** Plans a merge of models, by one set of parameters or by blocks. */
export function planMerge(step: MergeStep | BlockMergeStep, inputs: StepInputs): StepPlan {
  const given = givenModels(step, inputs);
  if (!given) return emptyPlan();
  const { models, primary, base, vae } = given;
  const all = [...models, ...(base ? [base] : [])];
  const arithmetic = chooseArithmetic(step, inputs, primary);
  const refused = [
    ...refuseMixedFamilies(inputs.id, all),
    ...refuseScaled(inputs.id, all),
    ...(arithmetic.findings ?? []),
  ];
  if (refused.length > 0 || arithmetic.findings) return emptyPlan(refused);
  const pruned = new Map<string, readonly Pruned[]>();
  const ready = (model: ModelView): ModelView => {
    const result = pruneView(alignNames(model, primary), step.prune);
    if (result.pruned.length > 0) pruned.set(model.label, result.pruned);
    return result.view;
  };
  const architecture = architectureOf(primary);
  const merged = mergeTensors(
    {
      step: inputs.id,
      models: models.map(ready),
      ...(base && { base: ready(base) }),
      ...(architecture && { architecture }),
      method: arithmetic.method,
      weights: weightsOf(step),
      paramsOf: arithmetic.paramsOf,
      missing: step.missing,
    },
    inputs.job,
  );
  const view = { ...primary, label: inputs.id, tensors: merged.tensors };
  const finished = vae ? replaceVae(inputs.id, view, vae) : { tensors: view.tensors, findings: [] };
  return {
    view: storeAs({ ...view, tensors: finished.tensors }, precisionOf(step)),
    findings: [...merged.findings, ...finished.findings],
    pruned,
    merged,
  };
}

type GivenModels = {
  readonly models: readonly ModelView[];
  /** The first: what the others are compared with. */
  readonly primary: ModelView;
  readonly base?: ModelView | undefined;
  readonly vae?: ModelView | undefined;
};

/** Undefined where one of them is not known yet. */
function givenModels(step: MergeStep | BlockMergeStep, inputs: StepInputs): GivenModels | undefined {
  const given = step.models.map((_, index) => inputs.model(`models[${index}]`));
  const models = given.filter((model) => model !== undefined);
  const base = step.base && inputs.model('base');
  const vae = step.vae && inputs.model('vae');
  const [primary] = models;
  if (!primary || models.length < given.length || (step.base && !base) || (step.vae && !vae))
    return undefined;
  return { models, primary, base, vae };
}
