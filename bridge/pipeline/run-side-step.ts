import { LineageError } from '../../nodes/kit/errors.ts';
import type { FileFacts } from '../../nodes/pipeline/facts.ts';
import { precisionOf } from '../../nodes/pipeline/step-output.ts';
import type { UnsealedFile } from './make-sealed-file.ts';
import type { OpenRun } from './open-run.ts';
import { type SideFile, type SideResult, sideModel } from './side-task.ts';
import type { ResolvedStep } from './step-recipe.ts';
import type { StepScores } from './step-scores.ts';
import { analyseModels } from './steps/analysis.ts';
import { mergeEmbeddings } from './steps/embedding-merge.ts';
import { extractLora } from './steps/extract-lora.ts';
import type { MeasureOptions } from './steps/measure-models.ts';
import { validateModel } from './steps/validate.ts';

/** What a step that makes no checkpoint works with. */
export type SideInputs = {
  readonly step: ResolvedStep;
  /** The file at a place of the step; undefined for a place that it does not have. */
  model(where: string): FileFacts | undefined;
  pathOf(spelled: string): string;
  readonly threads: number;
  readonly signal: AbortSignal;
  progress(done: number, total: number): void;
};

/** What a step of a run works with, as its inputs are known now. */
export function sideInputsOf(
  { plan, facts, options }: OpenRun,
  id: string,
  progress: SideInputs['progress'],
): SideInputs {
  const step = plan.resolved(id);
  return {
    step,
    model(where) {
      const leaf = step.inputs.get(where);
      if (!leaf) return undefined;
      return leaf.kind === 'file' ? facts.files.get(leaf.path) : plan.facts(leaf.id);
    },
    pathOf: options.pathOf,
    threads: options.threads,
    signal: options.access.signal,
    progress,
  };
}

/** Runs a validate or analysis step. */
export async function findScores(inputs: SideInputs): Promise<StepScores> {
  const { step } = inputs.step;
  if (step.type === 'validate') {
    const model = need(inputs, 'model');
    const against = inputs.model('against');
    if (step.checks.includes('drift') && !against)
      throw new LineageError(
        'pipeline/malformed',
        `step "${inputs.step.flat.id}": expected "against" to measure drift from, got none`,
      );
    const seen = { facts: model, model: sideModel(model, inputs.pathOf) };
    return await validateModel(step, seen, against && sideModel(against, inputs.pathOf), optionsOf(inputs));
  }
  if (step.type !== 'analysis') throw new Error(`a ${step.type} step finds no scores`);
  const models = step.models.map((_, at) => sideModel(need(inputs, `models[${at}]`), inputs.pathOf));
  const base = inputs.model('base');
  return await analyseModels(step, models, base && sideModel(base, inputs.pathOf), optionsOf(inputs));
}

function optionsOf({ threads, signal, progress }: SideInputs): MeasureOptions {
  return { threads, signal, onProgress: progress };
}

/** Whether a step is done by a side task, which writes one small file. */
export function isSideMaker({ step }: Pick<ResolvedStep, 'step'>): boolean {
  return step.type === 'embedding_merge' || (step.type === 'extract' && step.part === 'lora');
}

/** The rank of an extracted LoRA that does not say one. */
const DEFAULT_RANK = 64;

/**
 * Merges embeddings or extracts a LoRA.
 *
 * @param out its header with the hash still open.
 */
export async function makeSideFile(inputs: SideInputs, out: SideFile): Promise<UnsealedFile> {
  return { damage: new Map(), resumed: 0, ...(await runSideTask(inputs, out)) };
}

async function runSideTask(inputs: SideInputs, out: SideFile): Promise<SideResult> {
  const { step } = inputs.step;
  const dtype = dtypeOf(inputs);
  if (step.type === 'embedding_merge') {
    const embeddings = step.embeddings.map(({ weight }, at) => ({
      model: sideModel(need(inputs, `embeddings[${at}]`), inputs.pathOf),
      weight: weight ?? (step.mode === 'sum' ? 1 / step.embeddings.length : 1),
    }));
    return mergeEmbeddings({ embeddings, mode: step.mode, dtype, out });
  }
  if (step.type !== 'extract') throw new Error(`a ${step.type} step is no side task`);
  const task = {
    model: sideModel(need(inputs, 'model'), inputs.pathOf),
    base: sideModel(need(inputs, 'base'), inputs.pathOf),
    rank: step.rank ?? DEFAULT_RANK,
    dtype,
    out,
  };
  return await extractLora(task, optionsOf(inputs));
}

/** fp16 unless asked otherwise: what tools load. */
function dtypeOf({ step: { step, flat } }: SideInputs): 'F32' | 'F16' | 'BF16' {
  const precision = precisionOf(step) ?? (step.type === 'embedding_merge' ? 'fp32' : 'fp16');
  if (precision === 'fp32') return 'F32';
  if (precision === 'fp16') return 'F16';
  if (precision === 'bf16') return 'BF16';
  throw new LineageError(
    'pipeline/part',
    `step "${flat.id}": expected a precision of fp32, fp16 or bf16 for what is no checkpoint, got ${precision}`,
  );
}

function need(inputs: SideInputs, where: string): FileFacts {
  const model = inputs.model(where);
  if (!model) throw new Error(`step ${inputs.step.flat.id} has no model at ${where}`);
  return model;
}
