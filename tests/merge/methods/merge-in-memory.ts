import type { TileKernels } from '../../../nodes/merge/kernels/tile-kernels.ts';
import type { AnyMethod, Params, ParamValues } from '../../../nodes/merge/method.ts';
import { BASE } from '../../../nodes/merge/method.ts';
import {
  countSurveyRounds,
  runMethod,
  surveyTensor,
  type TensorInputs,
} from '../../../nodes/merge/run-method.ts';

/** A tensor that is all there. */
export type Dense = { readonly shape: readonly number[]; readonly elements: Float32Array };
/** Its tensors by name. */
export type Model = ReadonlyMap<string, Dense>;
/** What a merge of whole models is given. */
export type InMemory = {
  readonly params: ParamValues<Params>;
  readonly weights: readonly number[];
  /** All with the tensors of the first. */
  readonly models: readonly Model[];
  readonly base?: Model;
};

/** Merges models that are in memory, survey and all; what comes out is in new arrays. @param tiles default: plain */
export function mergeInMemory(
  method: AnyMethod,
  given: InMemory,
  tileElements?: number,
  tiles?: TileKernels,
): Map<string, Float32Array> {
  const names = [...(given.models[0]?.keys() ?? [])].sort();
  const survey = surveyModels(method, given, names, tileElements, tiles);
  return new Map(
    names.map((name, index) => {
      const inputs = inputsOf(given, name, index, survey, tiles);
      const out = new Float32Array(given.models[0]?.get(name)?.elements.length ?? 0);
      runMethod(method, inputs, (start, elements) => out.set(elements, start), tileElements);
      return [name, out];
    }),
  );
}

function surveyModels(
  method: AnyMethod,
  given: InMemory,
  names: readonly string[],
  tileElements?: number,
  tiles?: TileKernels,
): Float64Array[] {
  if (!('survey' in method) || !method.survey) return [];
  const found: Float64Array[] = [];
  for (let round = 0; round < countSurveyRounds(method, given.params); round++) {
    const each = names.map(
      (name, index) =>
        surveyTensor(method, inputsOf(given, name, index, [...found], tiles), round, tileElements) ??
        new Float64Array(),
    );
    found.push(method.survey.combine(each, round, given.params as never, [...found]));
  }
  return found;
}

function inputsOf(
  { params, weights, models, base }: InMemory,
  name: string,
  index: number,
  survey: readonly Float64Array[],
  tiles?: TileKernels,
): TensorInputs {
  tiles?.clear();
  const tensors = models.map((model) => model.get(name));
  return {
    name,
    shape: tensors[0]?.shape ?? [],
    weights,
    params,
    survey,
    index,
    hasBase: base !== undefined,
    ...(tiles && { arithmetic: tiles }),
    read(input, start, into) {
      const tensor = input === BASE ? base?.get(name) : tensors[input];
      if (!tensor) throw new Error(`no input ${input} of ${name}`);
      into.set(tensor.elements.subarray(start, start + into.length));
    },
  };
}
