import { LineageError, MismatchError } from '../kit/errors.ts';
import { checkParams } from '../merge/check-params.ts';
import type { AnyMethod, Params, ParamValues } from '../merge/method.ts';
import { paramsByBlock } from './block-params.ts';
import { type Finding, fail } from './finding.ts';
import type { BlockMergeStep, MergeStep } from './manifest.ts';
import type { StepInputs } from './step-plan.ts';
import type { ModelView } from './view.ts';

/** How a step computes, or why it cannot. */
export type Arithmetic =
  | {
      readonly findings?: never;
      readonly method: AnyMethod;
      /** The parameters for a tensor; undefined where it is to stay as it is. */
      readonly paramsOf: (name: string) => ParamValues<Params> | undefined;
    }
  | { readonly findings: readonly Finding[] };

/** The method of a merge and its parameters tensor by tensor, once they are found to suit the models. */
export function chooseArithmetic(
  step: MergeStep | BlockMergeStep,
  { id, findMethod }: Pick<StepInputs, 'id' | 'findMethod'>,
  primary: ModelView,
): Arithmetic {
  try {
    const method = findMethod(step.method ?? 'linear');
    const findings = refuseCounts(step, method, id);
    if (findings.length > 0) return { findings };
    const params = paramsOf(step);
    const whole = step.type === 'merge' ? checkParams(method, params) : undefined;
    const byName = step.type === 'merge' ? () => whole : paramsByBlock(step, method, primary);
    // Some weights cannot be used whatever the tensors are.
    if ('terms' in method) method.terms(byName('') ?? checkParams(method, params), weightsOf(step));
    return { method, paramsOf: byName };
  } catch (error) {
    if (error instanceof LineageError) return { findings: [tell(error, id)] };
    throw error;
  }
}

/** A sum that is not asked to be normalised is the sum that was written down. */
function paramsOf(step: MergeStep | BlockMergeStep): MergeStep['params'] {
  const isPlain = step.type === 'merge' && step.method === undefined;
  return isPlain ? { normalize: false, ...step.params } : step.params;
}

/** 1 where none is given; but in a plain sum without any, all count alike and the scale stays. */
export function weightsOf(step: MergeStep | BlockMergeStep): readonly number[] {
  if (step.type === 'block_merge') return step.models.map(() => 1);
  const isMean = step.method === undefined && step.models.every(({ weight }) => weight === undefined);
  return step.models.map(({ weight }) => (isMean ? 1 / step.models.length : (weight ?? 1)));
}

/** Numbers of models, a base or weights that a method does not take. */
function refuseCounts(step: MergeStep | BlockMergeStep, method: AnyMethod, id: string): readonly Finding[] {
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

/** What the method or its parameters were refused for, among all that is wrong with the pipeline. */
function tell(error: LineageError, step: string): Finding {
  if (!(error instanceof MismatchError))
    return fail(error.code, { step, expected: 'what the method takes', got: error.message });
  const { place, expected, got } = error.mismatch;
  return fail(error.code, { step, ...(place !== undefined && { where: place }), expected, got });
}
