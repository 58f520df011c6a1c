import type { Dtype } from '../../nodes/formats/safetensors/dtypes.ts';
import type { FileFacts } from '../../nodes/pipeline/facts.ts';
import type { StepScores } from './step-scores.ts';

/** A model as a thread gets it: plain data, its files by absolute path. */
export type SideModel = {
  readonly label: string;
  readonly family?: string;
  readonly tensors: ReadonlyMap<string, SideTensor>;
};
export type SideTensor = {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly file: string;
  readonly offset: number;
};

/** A file that a thread writes: unsealed, with these texts in its header. */
export type SideFile = { readonly path: string; readonly metadata: ReadonlyMap<string, string> };

/** What was written, not yet sealed. */
export type SideResult = {
  readonly bytes: number;
  readonly header: Uint8Array;
  readonly dataSha256: string;
  /** Tensors of the model that have no name in the result. */
  readonly left: readonly string[];
  /** What there is to say of the result in numbers. */
  readonly found?: StepScores;
};

/** A model of the facts of its file. */
export function sideModel(facts: FileFacts, pathOf: (spelled: string) => string): SideModel {
  const family = facts.detection?.found?.architecture.family;
  return {
    label: facts.path,
    ...(family !== undefined && { family }),
    tensors: new Map(
      [...facts.tensors].map(([name, { dtype, shape, file, offset }]) => [
        name,
        { dtype, shape, file: pathOf(file), offset },
      ]),
    ),
  };
}
