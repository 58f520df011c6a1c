import type { Dtype } from '../formats/safetensors/dtypes.ts';
import type { PeftConfig } from '../lora/dialects/peft-config.ts';
import type { Architecture } from '../merge/architectures/define.ts';
import type { Detection } from '../merge/architectures/detect.ts';
import { partOf } from '../merge/architectures/parts.ts';
import type { Operand } from '../merge/job.ts';
import type { FileFacts } from './facts.ts';

/** A tensor as a step sees it: what it is made of, and as what it would be stored. */
export type ViewTensor = {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly value: Operand;
};

/** A model as a step sees it: a file, or the result of a step that need not be written. */
export type ModelView = {
  /** A path or the id of a step, for messages. */
  readonly label: string;
  readonly tensors: ReadonlyMap<string, ViewTensor>;
  readonly detection?: Detection;
  /** Of an adapter of PEFT: what its file does not say. */
  readonly adapterConfig?: PeftConfig;
};

/** What all operands of one job share: its list of files, its surveys. */
export type JobTable = {
  readonly paths: readonly string[];
  fileOf(path: string): number;
  nextSurvey(): number;
};

/** An empty table; it grows as views are made. */
export function startJob(): JobTable {
  const paths: string[] = [];
  const places = new Map<string, number>();
  let surveys = 0;
  return {
    paths,
    fileOf(path) {
      const known = places.get(path);
      if (known !== undefined) return known;
      places.set(path, paths.length);
      return paths.push(path) - 1;
    },
    nextSurvey: () => surveys++,
  };
}

/** A file as a model. */
export function viewFile({ path, tensors, detection, adapterConfig }: FileFacts, job: JobTable): ModelView {
  const viewed = [...tensors].map(([name, { dtype, shape, file, offset }]): [string, ViewTensor] => {
    const value = { kind: 'stored', file: job.fileOf(file), dtype, shape, offset } as const;
    return [name, { dtype, shape, value }];
  });
  return {
    label: path,
    tensors: new Map(viewed),
    ...(detection && { detection }),
    ...(adapterConfig && { adapterConfig }),
  };
}

/** The family that a model was recognised as, with variants of layout apart. */
export function architectureOf({ detection }: Pick<ModelView, 'detection'>): Architecture | undefined {
  return detection?.found?.architecture;
}

/** What is said of every model, whatever its family: its markers and leftovers of training are known by name. */
const UNKNOWN: Architecture = { family: '', title: '', prefix: '', layouts: [], blocks: { slots: [] } };

/** The kind of part that a tensor belongs to. */
export function kindOf(name: string, architecture: Architecture | undefined) {
  return partOf(name, architecture ?? UNKNOWN).kind;
}

/** An architecture for what asks for one. */
export function orUnknown(architecture: Architecture | undefined): Architecture {
  return architecture ?? UNKNOWN;
}

/**
 * The second model under the names of the first, where one has the denoiser under a checkpoint's prefix and the other
 * without. Other differences of naming stay.
 */
export function alignNames(view: ModelView, primary: ModelView): ModelView {
  const [mine, other] = [view.detection?.found, primary.detection?.found];
  if (!mine || !other || mine.architecture.family !== other.architecture.family) return view;
  const swaps = [mine, other].every(({ keySpace }) => keySpace === 'ldm' || keySpace === 'comfy-bare');
  if (!swaps || mine.prefix === other.prefix) return view;
  const renamed = [...view.tensors].map(([name, tensor]): [string, ViewTensor] =>
    name.startsWith(mine.prefix) && kindOf(name, mine.architecture) === 'denoiser'
      ? [other.prefix + name.slice(mine.prefix.length), tensor]
      : [name, tensor],
  );
  return { ...view, tensors: new Map(renamed) };
}
