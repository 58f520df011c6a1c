import { basename } from 'node:path';
import { isLineageError } from '../../nodes/kit/errors.ts';
import type { Architecture } from '../../nodes/merge/architectures/define.ts';
import { findMethod } from '../../nodes/merge/find-method.ts';
import { fitRecord } from '../../nodes/merge/provenance/fit-record.ts';
import { headerTexts } from '../../nodes/merge/provenance/header-texts.ts';
import {
  MERGE_RECORD_KEY,
  type MergeRecord,
  type MergeSource,
  readMergeRecord,
} from '../../nodes/merge/provenance/merge-record.ts';
import { type Answers, leavesOf, settle } from '../../nodes/pipeline/conditions.ts';
import { type FlatStep, tuneStep } from '../../nodes/pipeline/expand.ts';
import type { PipelineFacts } from '../../nodes/pipeline/facts.ts';
import type { Manifest, WorkStep } from '../../nodes/pipeline/manifest.ts';
import { keyOfStep, parametersOf, toCanonicalJson } from '../../nodes/pipeline/step-key.ts';
import { outputOf, precisionOf } from '../../nodes/pipeline/step-output.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { hashText } from '../local/hash-text.ts';
import type { ModelHashes } from './identify-models.ts';
import { type ResolvedStep, stepRecipeOf } from './step-recipe.ts';

/** Raise it when the engine gives other bytes for the same job: what was made before is then made again. */
export const ENGINE_VERSION = 1;
/** The text of a header that holds the address of the step's result. */
export const STEP_KEY = 'lineage.step_key';

/** What the texts of headers depend on. */
export type Described = {
  readonly manifest: Manifest;
  readonly flats: readonly FlatStep[];
  readonly facts: PipelineFacts;
  readonly mode: 'staged' | 'fused';
  /** Of every file that is read, by path as the manifest spells it. */
  readonly hashes: ReadonlyMap<string, ModelHashes>;
  readonly answers: Answers;
  /** The values of a trial; undefined before they are chosen. */
  valuesOf(optimize: string, trial: number): readonly number[] | undefined;
  /** Whether a result is never written. */
  isFused(id: string): boolean;
  /** Whether a result in between is written although the run is fused. */
  isRounded(id: string): boolean;
};

/** The steps of a pipeline with their addresses and the texts of their headers. */
export type StepDescriptions = {
  /** With its inputs as far as they are known; of an open choice the first that may be. */
  step(id: string): ResolvedStep;
  key(id: string): string;
  texts(id: string): ReadonlyMap<string, string>;
};

/** Describes the steps of a pipeline. Everything is worked out when it is asked for, once. */
export function describeSteps(of: Described): StepDescriptions {
  const flats = new Map(of.flats.map((flat) => [flat.id, flat]));

  const step = once((id: string): ResolvedStep => {
    const flat = flats.get(id);
    if (!flat) throw new Error(`no step ${id}`);
    const inputs = [...flat.inputs].map(([where, source]) => {
      const leaf = settle(source, of.answers) ?? leavesOf(source)[0];
      if (!leaf) throw new Error(`no source at ${where} of ${id}`);
      return [where, leaf] as const;
    });
    const values = flat.tuned && of.valuesOf(flat.tuned.by, flat.tuned.trial);
    return { flat, step: values ? tuneStep(flat, values) : flat.step, inputs: new Map(inputs) };
  });

  const key = once((id: string): string => {
    const { step: work, inputs } = step(id);
    const method = methodOf(work);
    return keyOfStep(
      {
        inputs: new Map(
          [...inputs].map(([where, leaf]) => [
            where,
            leaf.kind === 'step' ? { step: key(leaf.id) } : fileKey(leaf.path),
          ]),
        ),
        operation: method === undefined ? work.type : `${work.type} ${method}`,
        parameters: { ...asRecord(parametersOf(work)), ...(of.isFused(id) && { unrounded: true }) },
        methodVersion: method === undefined ? 0 : versionOf(method),
        engineVersion: ENGINE_VERSION,
      },
      hashText,
    );
  });

  const texts = once((id: string): ReadonlyMap<string, string> => {
    const { step: work, inputs } = step(id);
    const recipe = stepRecipeOf(id, step, identify, of.isRounded);
    const record: MergeRecord = {
      schema: 'lineage:merge/1',
      generator: { name: packageFile.name, version: packageFile.version },
      engine: ENGINE_VERSION,
      mode: of.mode,
      step: recipe.step,
      recipe: JSON.parse(JSON.stringify(recipe.manifest)),
      sources: recipe.sources.map(sourceOf),
    };
    const architecture = architectureOf(id)?.modelspec;
    const method = methodOf(work);
    const weights = weightsOf(work);
    const isPlain = weights?.every((_, at) => {
      const leaf = inputs.get(`models[${at}]`);
      return leaf?.kind === 'file' && leaf.path === recipe.sources[at];
    });
    const description = work.description ?? of.manifest.description;
    const all = headerTexts(fitRecord(record), {
      title: work.name ?? of.manifest.name ?? titleOf(work),
      ...(description !== undefined && { description }),
      ...(architecture !== undefined && { architecture }),
      ...(method !== undefined && { method }),
      ...(weights && isPlain && { weights }),
      halves: (precisionOf(work) ?? precisionAt(id)) === 'fp16',
    });
    return new Map([...all, [STEP_KEY, key(id)]]);
  });

  function fileKey(path: string): { readonly data: string; readonly config?: unknown } {
    const config = of.facts.files.get(path)?.adapterConfig;
    return { data: hashesOf(path).dataSha256, ...(config && { config }) };
  }

  /** One file with two configurations, reached by two links, is two adapters. */
  function identify(path: string): string {
    const { identity = path, adapterConfig } = of.facts.files.get(path) ?? {};
    return adapterConfig ? `${identity}\n${toCanonicalJson(adapterConfig)}` : identity;
  }

  function hashesOf(path: string): ModelHashes {
    const found = of.hashes.get(path);
    if (!found) throw new Error(`no hash of ${path}`);
    return found;
  }

  function sourceOf(path: string): MergeSource {
    const file = of.facts.files.get(path);
    const licence = file?.metadata.get('modelspec.license');
    const record = readMergeRecord(file?.metadata.get(MERGE_RECORD_KEY));
    const architecture = file?.detection?.found?.architecture.title;
    return {
      name: basename(path),
      ...hashesOf(path),
      bytes: file?.bytes ?? 0,
      ...(architecture !== undefined && { architecture }),
      ...(licence !== undefined && { licence }),
      ...(file?.adapterConfig && { adapterConfig: file.adapterConfig }),
      ...(record && { record }),
    };
  }

  /** Of what a step goes out from, back to a file. A part of a model is none of the family. */
  function architectureOf(id: string): Architecture | undefined {
    const { step: work, inputs } = step(id);
    if (work.type === 'extract') return undefined;
    const leaf = inputs.get('models[0]') ?? inputs.get('model');
    if (!leaf) return undefined;
    if (leaf.kind === 'step') return architectureOf(leaf.id);
    return of.facts.files.get(leaf.path)?.detection?.found?.architecture;
  }

  function precisionAt(id: string): string | undefined {
    const { step: work, inputs } = step(id);
    const asked = precisionOf(work);
    if (asked !== undefined) return asked;
    const leaf = inputs.get('models[0]') ?? inputs.get('model');
    if (!leaf) return undefined;
    return leaf.kind === 'step' ? precisionAt(leaf.id) : of.facts.files.get(leaf.path)?.detection?.precision;
  }

  return { step, key, texts };
}

function methodOf(step: WorkStep): string | undefined {
  if (step.type === 'merge') return step.method ?? 'linear';
  return step.type === 'block_merge' ? step.method : undefined;
}

/** An unknown method is refused by the plan, which says more. */
function versionOf(id: string): number {
  try {
    return findMethod(id).version;
  } catch (error) {
    if (isLineageError(error, 'merge/unknown-method')) return 0;
    throw error;
  }
}

function weightsOf(step: WorkStep): readonly number[] | undefined {
  if (step.type !== 'merge') return undefined;
  const weights = step.models.flatMap(({ weight }) => (weight === undefined ? [] : [weight]));
  return weights.length === step.models.length ? weights : undefined;
}

/** The name of the file that it was made as, or the id. */
function titleOf(step: WorkStep): string {
  const { path } = outputOf(step);
  return path === undefined ? step.id : basename(path).replace(/(\.safetensors)?(\.index\.json)?$/, '');
}

function asRecord(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}

function once<T>(work: (id: string) => T): (id: string) => T {
  const known = new Map<string, T>();
  return (id) => {
    const before = known.get(id);
    if (before !== undefined) return before;
    const made = work(id);
    known.set(id, made);
    return made;
  };
}
