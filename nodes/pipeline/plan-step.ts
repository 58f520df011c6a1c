import { isFloat } from '../formats/floats.ts';
import { LineageError } from '../kit/errors.ts';
import { parseBlockWeights } from '../merge/architectures/block-weights.ts';
import { blockOf } from '../merge/architectures/blocks.ts';
import type { Pruned } from '../merge/architectures/parts.ts';
import { checkParams } from '../merge/check-params.ts';
import type { AnyMethod, Params, ParamValues } from '../merge/method.ts';
import { adaptTensors } from './adapt-tensors.ts';
import { convertNames, KEY_SPACES } from './convert-names.ts';
import { dtypeOf, type Precision } from './facts.ts';
import { type Finding, fail, listNames } from './finding.ts';
import type { BlockMergeStep, MergeStep, WorkStep } from './manifest.ts';
import { type MergedModel, mergeTensors } from './merge-tensors.ts';
import { isPositionIds, rightPositionIds } from './position-ids.ts';
import { pruneView } from './prune.ts';
import { replaceVae, takePart } from './take-part.ts';
import {
  alignNames,
  architectureOf,
  type JobTable,
  kindOf,
  type ModelView,
  type ViewTensor,
} from './view.ts';

/** What a step is planned with. */
export type StepInputs = {
  readonly id: string;
  /** The model at a place of the step (`models[0]`); undefined where it is not known yet. */
  model(where: string): ModelView | undefined;
  readonly job: JobTable;
  /** @throws LineageError `merge/unknown-method` */
  findMethod(id: string): AnyMethod;
};

/** What a step will make, tensor by tensor, and what was decided on the way. */
export type StepPlan = {
  /** Absent where the step makes no model by tensors, or an input is not known yet. */
  readonly view?: ModelView;
  readonly findings: readonly Finding[];
  /** By the label of the model that lost them. */
  readonly pruned: ReadonlyMap<string, readonly Pruned[]>;
  readonly merged?: Pick<MergedModel, 'copied' | 'skipped' | 'positionIds'>;
  /** Modules of adapters that found their weight. */
  readonly hits?: readonly { readonly label: string; readonly modules: number; readonly of: number }[];
};

/** Plans one step: every check that the tensors allow, and the arithmetic of every tensor of the result. */
export function planStep(step: WorkStep, inputs: StepInputs): StepPlan {
  switch (step.type) {
    case 'merge':
    case 'block_merge':
      return planMerge(step, inputs);
    case 'lora_merge':
    case 'convert':
      return planChange(step, inputs);
    case 'extract': {
      const model = inputs.model('model');
      if (!model || step.part === 'lora') return nothing([]);
      const { tensors, findings } = takePart(inputs.id, model, step.part);
      return { ...nothing(findings), view: finish({ label: inputs.id, tensors }, precisionOf(step)) };
    }
    default:
      return nothing([]);
  }
}

/** The precision that a step asks its output to have. */
export function precisionOf(step: WorkStep): Precision | undefined {
  const output = 'output' in step ? step.output : undefined;
  return typeof output === 'object' ? output.precision : undefined;
}

function nothing(findings: readonly Finding[]): StepPlan {
  return { findings, pruned: new Map() };
}

function planMerge(step: MergeStep | BlockMergeStep, inputs: StepInputs): StepPlan {
  const given = step.models.map((_, index) => inputs.model(`models[${index}]`));
  const models = given.filter((model) => model !== undefined);
  const base = step.base && inputs.model('base');
  const vae = step.vae && inputs.model('vae');
  const [primary] = models;
  if (!primary || models.length < given.length || (step.base && !base) || (step.vae && !vae))
    return nothing([]);
  const pruned = new Map<string, readonly Pruned[]>();
  const ready = (model: ModelView): ModelView => {
    const result = pruneView(alignNames(model, primary), step.prune);
    if (result.pruned.length > 0) pruned.set(model.label, result.pruned);
    return result.view;
  };
  const all = [...models, ...(base ? [base] : [])];
  const unfit = [...differentFamilies(inputs.id, all), ...scaled(inputs.id, all)];
  const prepared = prepare(step, inputs, primary);
  const findings = [...unfit, ...prepared.findings];
  if (findings.length > 0 || !prepared.method || !prepared.paramsOf) return nothing(findings);
  const architecture = architectureOf(primary);
  const merged = mergeTensors(
    {
      step: inputs.id,
      models: models.map(ready),
      ...(base && { base: ready(base) }),
      ...(architecture && { architecture }),
      method: prepared.method,
      weights: weightsOf(step),
      paramsOf: prepared.paramsOf,
      missing: step.missing,
    },
    inputs.job,
  );
  const view = { ...primary, label: inputs.id, tensors: merged.tensors };
  const finished = vae ? replaceVae(inputs.id, view, vae) : { tensors: view.tensors, findings: [] };
  return {
    view: finish({ ...view, tensors: finished.tensors }, precisionOf(step)),
    findings: [...merged.findings, ...finished.findings],
    pruned,
    merged,
  };
}

type Prepared = {
  readonly findings: readonly Finding[];
  readonly method?: AnyMethod;
  readonly paramsOf?: (name: string) => ParamValues<Params> | undefined;
};

/** The method, its parameters tensor by tensor, and whether they suit the models. */
function prepare(step: MergeStep | BlockMergeStep, inputs: StepInputs, primary: ModelView): Prepared {
  try {
    const isPlain = step.type === 'merge' && step.method === undefined;
    const method = inputs.findMethod(step.method ?? 'linear');
    const findings = unsuited(step, method, inputs.id);
    // A sum that is not asked to be normalised is the sum that was written down.
    const params = isPlain ? { normalize: false, ...step.params } : step.params;
    if (findings.length > 0) return { findings };
    const paramsOf =
      step.type === 'merge' ? constant(checkParams(method, params)) : blockParams(step, method, primary);
    if ('terms' in method)
      method.terms((paramsOf('') ?? checkParams(method, params)) as never, weightsOf(step));
    return { findings, method, paramsOf };
  } catch (error) {
    if (!(error instanceof LineageError)) throw error;
    const [, expected = error.message, got = 'another'] =
      /expected (.*)[,;] got (.*)/s.exec(error.message) ?? [];
    return { findings: [fail(error.code, { step: inputs.id, expected, got })] };
  }
}

function constant<T>(value: T): () => T {
  return () => value;
}

/** Parameters by the block that a tensor belongs to, checked once per block. */
function blockParams(
  step: BlockMergeStep,
  method: AnyMethod,
  primary: ModelView,
): (name: string) => ParamValues<Params> | undefined {
  const architecture = architectureOf(primary);
  if (!architecture)
    throw new LineageError(
      'pipeline/part',
      `expected a model of a known architecture, got ${primary.label}, which was not recognised`,
    );
  const names = primary.tensors.keys();
  const written =
    typeof step.blocks === 'object' && !Array.isArray(step.blocks)
      ? Object.entries(step.blocks)
          .map(([block, weight]) => `${block}=${weight}`)
          .join(', ')
      : step.blocks;
  const values = parseBlockWeights(written, architecture, { names });
  const at = (value: number): ParamValues<Params> =>
    checkParams(method, { ...step.params, [step.param]: value });
  const byBlock = new Map([...values].map(([block, value]) => [block, at(value)]));
  const rest = step.rest === undefined ? undefined : at(step.rest);
  return (name) => {
    const block = blockOf(name, architecture);
    return (block === undefined ? undefined : byBlock.get(block)) ?? rest;
  };
}

/** 1 where none is given; but in a plain sum without any, all count alike and the scale stays. */
function weightsOf(step: MergeStep | BlockMergeStep): readonly number[] {
  if (step.type === 'block_merge') return step.models.map(() => 1);
  const isMean = step.method === undefined && step.models.every(({ weight }) => weight === undefined);
  return step.models.map(({ weight }) => (isMean ? 1 / step.models.length : (weight ?? 1)));
}

function unsuited(step: MergeStep | BlockMergeStep, method: AnyMethod, id: string): readonly Finding[] {
  const { min, max } = method.models;
  const count = step.models.length;
  const findings: Finding[] = [];
  const reject = (where: string, expected: string, got: string): void => {
    findings.push(fail('pipeline/method', { step: id, where, expected, got }));
  };
  const weighted = step.type === 'merge' ? step.models.findIndex(({ weight }) => weight !== undefined) : -1;
  if (!method.weighted && weighted >= 0)
    reject(`models[${weighted}]`, `no weights: ${method.id} takes parameters instead`, 'a weight');
  if (count < min || (max !== undefined && count > max))
    reject(
      'models',
      `${min === max ? min : `${min} to ${max ?? 'any number of'}`} models for ${method.id}`,
      `${count}`,
    );
  if (method.base === 'required' && !step.base) reject('base', `a base model for ${method.id}`, 'none');
  if (method.base === 'none' && step.base) reject('base', `no base model for ${method.id}`, 'one');
  return findings;
}

function differentFamilies(step: string, models: readonly ModelView[]): readonly Finding[] {
  const known = models.flatMap((model) => {
    const architecture = architectureOf(model);
    return architecture ? [{ label: model.label, title: architecture.title }] : [];
  });
  const [first] = known;
  const other = known.find(({ title }) => title !== first?.title);
  if (!first || !other) return [];
  const expected = `models of one architecture: ${first.label} is ${first.title}`;
  return [
    fail('pipeline/architecture', {
      step,
      where: 'models',
      expected,
      got: `${other.label}, which is ${other.title}`,
    }),
  ];
}

/** Codes that stand for other numbers, times a factor beside them. */
function scaled(step: string, models: readonly ModelView[]): readonly Finding[] {
  return models.flatMap(({ label, tensors }) => {
    const factors = [...tensors.keys()].filter((name) =>
      /(^|\.)(scaled_fp8|scale_weight|weight_scale)$/.test(name),
    );
    if (factors.length === 0) return [];
    const got = `scaled ones in ${label}: ${listNames(factors)}`;
    return [fail('pipeline/scaled', { step, expected: 'weights as plain numbers', got })];
  });
}

function planChange(
  step: Extract<WorkStep, { readonly type: 'lora_merge' | 'convert' }>,
  inputs: StepInputs,
): StepPlan {
  const given = inputs.model('model');
  const vae = step.vae && inputs.model('vae');
  if (!given || (step.vae && !vae)) return nothing([]);
  const { view, pruned } = pruneView(given, step.prune);
  const lost = new Map(pruned.length > 0 ? [[given.label, pruned]] : []);
  const withVae = vae ? replaceVae(inputs.id, view, vae) : { tensors: view.tensors, findings: [] };
  const model = { ...view, tensors: withVae.tensors };
  const label = inputs.id;
  if (step.type === 'convert') {
    const space = KEY_SPACES.find((each) => each === step.key_space);
    if (step.key_space !== undefined && !space) {
      const expected = `one of ${KEY_SPACES.join(', ')}`;
      return nothing([
        fail('pipeline/malformed', { step: label, where: 'key_space', expected, got: `"${step.key_space}"` }),
      ]);
    }
    const named = space ? convertNames(label, model, space) : { tensors: model.tensors, findings: [] };
    const right = [...named.tensors].map(([name, tensor]): [string, ViewTensor] => [
      name,
      isPositionIds(name, tensor) ? rightPositionIds() : tensor,
    ]);
    const result = finish({ ...model, label, tensors: new Map(right) }, precisionOf(step));
    return { view: result, findings: [...withVae.findings, ...named.findings], pruned: lost };
  }
  const adapters = step.loras.map(({ strength }, index) => ({
    strength,
    view: inputs.model(`loras[${index}]`),
  }));
  const known = adapters.flatMap(({ strength, view: lora }) => (lora ? [{ strength, view: lora }] : []));
  if (known.length < adapters.length) return nothing([]);
  const unfit = scaled(label, [model]);
  if (unfit.length > 0) return nothing(unfit);
  const { tensors, findings, hits } = adaptTensors(label, model, known);
  return {
    view: finish({ ...model, label, tensors }, precisionOf(step)),
    findings: [...withVae.findings, ...findings],
    pruned: lost,
    hits,
  };
}

/** Floats as the output asks for them. Markers keep their type, and so does what is no float. */
function finish(view: ModelView, precision: Precision | undefined): ModelView {
  if (precision === undefined) return view;
  const dtype = dtypeOf(precision);
  const architecture = architectureOf(view);
  const tensors = [...view.tensors].map(([name, tensor]): [string, ViewTensor] =>
    isFloat(tensor.dtype) && kindOf(name, architecture) !== 'marker'
      ? [name, { ...tensor, dtype }]
      : [name, tensor],
  );
  return { ...view, tensors: new Map(tensors) };
}
