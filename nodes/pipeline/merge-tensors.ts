import { isFloat } from '../formats/floats.ts';
import { countElements } from '../formats/safetensors/dtypes.ts';
import { compareNames } from '../formats/safetensors/name-order.ts';
import type { Architecture } from '../merge/architectures/define.ts';
import type { MergedTensor } from '../merge/job.ts';
import { type AnyMethod, BASE, type Params, type ParamValues, type Term } from '../merge/method.ts';
import { caution, type Finding, fail, listNames } from './finding.ts';
import type { MergeStep } from './manifest.ts';
import { isPositionIds, rightPositionIds } from './position-ids.ts';
import { type JobTable, kindOf, type ModelView, type ViewTensor } from './view.ts';

/** What is to be merged, and how. */
export type MergeRequest = {
  readonly step: string;
  readonly models: readonly ModelView[];
  readonly base?: ModelView;
  readonly architecture?: Architecture;
  readonly method: AnyMethod;
  readonly weights: readonly number[];
  /** Complete and checked; undefined: the tensor is copied from the first model. */
  paramsOf(name: string): ParamValues<Params> | undefined;
  readonly missing: MergeStep['missing'];
};

/**
 * Why a tensor was not merged but taken from the first model that has it. `type`: integers and the like; `missing`:
 * other models lack it; `channels`: the wider first convolution of an inpainting model; `weight`: the weights say so;
 * `block`: no block.
 */
type CopyReason = 'marker' | 'type' | 'missing' | 'channels' | 'weight' | 'block';

/** A merge, tensor by tensor. */
export type MergedModel = {
  readonly tensors: ReadonlyMap<string, ViewTensor>;
  readonly findings: readonly Finding[];
  /** Names by the reason for which they were copied; the rest was merged. */
  readonly copied: ReadonlyMap<CopyReason, readonly string[]>;
  /** What some model lacked and the policy left out. */
  readonly skipped: readonly string[];
  /** Buffers of positions that were set right. */
  readonly positionIds: readonly string[];
  /** Tables of tokens that are longer than the first model's: the rows behind were not merged. */
  readonly cut: readonly CutTable[];
};

/** Of one model: so many rows of all that it has were used. */
export type CutTable = {
  readonly model: string;
  readonly tensor: string;
  readonly rows: number;
  readonly of: number;
};

type Notes = {
  readonly copied: Map<CopyReason, string[]>;
  readonly lacking: Map<string, string[]>;
  readonly misshapen: string[];
  readonly markers: string[];
  readonly skipped: string[];
  readonly positionIds: string[];
  readonly cut: CutTable[];
};

/** Decides for every tensor that any model has what becomes of it. Tensors never stretch to another's shape. */
export function mergeTensors(request: MergeRequest, job: JobTable): MergedModel {
  const { models, base } = request;
  const notes: Notes = {
    copied: new Map(),
    lacking: new Map(),
    misshapen: [],
    markers: [],
    skipped: [],
    positionIds: [],
    cut: [],
  };
  const names = new Set([...models, ...(base ? [base] : [])].flatMap(({ tensors }) => [...tensors.keys()]));
  const tensors = new Map<string, ViewTensor>();
  for (const name of names) {
    const made = makeTensor(name, request, notes);
    if (made) tensors.set(name, made);
  }
  addSurveys(tensors, request.method, job);
  return { tensors, findings: findingsOf(request, notes), ...notes };
}

/** The tensors of one name. */
type Column = {
  readonly name: string;
  /** Of each model; undefined where it lacks the tensor. */
  readonly held: readonly (ViewTensor | undefined)[];
  readonly base: ViewTensor | undefined;
  /** Of the first model that has it: what is copied, and whose shape and type the result has. */
  readonly first: ViewTensor;
};

/** A tensor that goes into a merge, in the shape of the first. */
type Used = { readonly model: ViewTensor; readonly weight: number };

/** Undefined where the result has no such tensor. */
function makeTensor(name: string, request: MergeRequest, notes: Notes): ViewTensor | undefined {
  const { method, architecture, missing } = request;
  const column = columnOf(name, request);
  if (!column) return undefined;
  const { first, held, base } = column;
  const copy = (reason: CopyReason): ViewTensor => {
    note(notes.copied, reason, name);
    return first;
  };
  if (kindOf(name, architecture) === 'marker') {
    if (held.includes(undefined)) notes.markers.push(name);
    return copy('marker');
  }
  if (isPositionIds(name, first)) {
    notes.positionIds.push(name);
    return rightPositionIds();
  }
  if (![...held, base].every((tensor) => tensor === undefined || isFloat(tensor.dtype))) return copy('type');
  const lacksBase = request.base !== undefined && !base;
  if (held.includes(undefined) || lacksBase) {
    // A lone number that some models lack says how to load a model, or is of one encoder only.
    if (countElements(first.shape) <= 1) return copy('missing');
    noteLacking(column, request, notes);
    if (missing === 'skip') notes.skipped.push(name);
    if (missing === 'skip' || missing === 'error') return undefined;
  }
  const found = findUsed(column, request);
  // Without a base there is no difference to scale; with one model there may be nothing to merge.
  if (lacksBase || found.length < method.models.min) return copy('missing');
  const used = found.map(({ model, label, weight }) => ({
    model: cutNoting(column, model, label, notes),
    weight,
  }));
  const baseUsed = base && cutNoting(column, base, request.base?.label ?? '', notes);
  const all = [...used.map(({ model }) => model), ...(baseUsed ? [baseUsed] : [])];
  const odd = all.filter(({ shape }) => !isSameShape(shape, first.shape));
  if (odd.length > 0) {
    if (isWideConvolution(name, first, odd)) return copy('channels');
    notes.misshapen.push(`${name} ${[first, ...odd].map(({ shape }) => `[${shape}]`).join(' and ')}`);
    return undefined;
  }
  const params = request.paramsOf(name);
  if (!params) return copy('block');
  return merge(name, first, used, baseUsed, params, request, copy);
}

function columnOf(name: string, { models, base }: MergeRequest): Column | undefined {
  const held = models.map(({ tensors }) => tensors.get(name));
  const ofBase = base?.tensors.get(name);
  const first = held.find((tensor) => tensor !== undefined) ?? ofBase;
  return first && { name, held, base: ofBase, first };
}

function noteLacking(
  { name, held, base: ofBase }: Column,
  { models, base }: MergeRequest,
  notes: Notes,
): void {
  models.forEach(({ label }, index) => {
    if (!held[index]) note(notes.lacking, `models[${index}] (${label})`, name);
  });
  if (base && !ofBase) note(notes.lacking, `base (${base.label})`, name);
}

/** What each model has of it, or what stands for it where the policy says so. */
function findUsed({ held, base: ofBase, first }: Column, { models, base, weights, missing }: MergeRequest) {
  const stand = missing === 'base' ? (ofBase ?? first) : undefined;
  return held.flatMap((tensor, index) => {
    const model = tensor ?? stand;
    const label = (tensor ? models[index] : base)?.label ?? '';
    return model ? [{ model, label, weight: weights[index] ?? 1 }] : [];
  });
}

/** As `cutEmbedding` does, once noted for each model. */
function cutNoting({ name, first }: Column, tensor: ViewTensor, label: string, notes: Notes): ViewTensor {
  const fitted = cutEmbedding(name, tensor, first);
  const [[rows = 0], [of = 0]] = [fitted.shape, tensor.shape];
  const isNoted = notes.cut.some((known) => known.tensor === name && known.model === label);
  if (rows < of && !isNoted) notes.cut.push({ model: label, tensor: name, rows, of });
  return fitted;
}

function merge(
  name: string,
  first: ViewTensor,
  used: readonly Used[],
  base: ViewTensor | undefined,
  params: ParamValues<Params>,
  { method, weights: all }: MergeRequest,
  copy: (reason: CopyReason) => ViewTensor,
): ViewTensor {
  const [whole, part] = [sum(all), sum(used.map(({ weight }) => weight))];
  // Those that are there take the share of those that are not.
  const scale = used.length < all.length && part !== 0 ? whole / part : 1;
  const weights = used.map(({ weight }) => weight * scale);
  const models = used.map(({ model }) => model);
  if ('terms' in method) {
    const only = onlyInput(method.terms(params, weights));
    const taken = only === BASE ? base : models[only ?? models.length];
    if (taken) {
      copy('weight');
      return { ...taken, dtype: first.dtype };
    }
  }
  const value: MergedTensor = {
    kind: 'merged',
    method: method.id,
    params,
    weights,
    shape: first.shape,
    name,
    models: models.map(({ value }) => value),
    ...(base && { base: base.value }),
  };
  return { dtype: first.dtype, shape: first.shape, value };
}

/** The one input that a sum comes down to: its factor is exactly 1, and that of all others exactly 0. */
function onlyInput(terms: readonly Term[]): number | undefined {
  const factors = new Map<number, number>();
  for (const { weight, plus, minus } of terms) {
    factors.set(plus, (factors.get(plus) ?? 0) + weight);
    if (minus !== undefined) factors.set(minus, (factors.get(minus) ?? 0) - weight);
  }
  const [only, ...others] = [...factors].filter(([, factor]) => factor !== 0);
  return only && others.length === 0 && only[1] === 1 ? only[0] : undefined;
}

/**
 * The first convolution of an inpainting or pix2pix model, which takes more channels than the others' four: those
 * have nothing to say of the rest, so it stays whole.
 */
function isWideConvolution(name: string, first: ViewTensor, others: readonly ViewTensor[]): boolean {
  const [out, wide, ...kernel] = first.shape;
  return (
    /(^|\.)(input_blocks\.0\.0|conv_in)\.weight$/.test(name) &&
    (wide === 8 || wide === 9) &&
    others.every(({ shape }) => isSameShape(shape, [out ?? 0, 4, ...kernel]))
  );
}

/** Token embeddings, and heads that go back to tokens: a row for each token. */
const EMBEDDING = /(^|\.)(embed_tokens|token_embedding|lm_head|wte|shared)\.weight$/;

/**
 * The tokens that the first model knows too, where another one has more of them behind: its first rows. A first model
 * with more tokens than another has nothing to merge its last ones with: that stays a difference of shapes.
 */
function cutEmbedding(name: string, tensor: ViewTensor, first: ViewTensor): ViewTensor {
  const [rows = 0, width] = tensor.shape;
  const [wanted = 0, same] = first.shape;
  const isLonger = tensor.shape.length === 2 && first.shape.length === 2 && width === same && rows > wanted;
  if (!isLonger || !EMBEDDING.test(name) || tensor.value.kind !== 'stored') return tensor;
  return { ...tensor, shape: first.shape, value: { ...tensor.value, shape: first.shape } };
}

/** Numbers the tensors whose method looks over the whole model first, in the order of their names. */
function addSurveys(tensors: Map<string, ViewTensor>, method: AnyMethod, job: JobTable): void {
  if (!('survey' in method) || !method.survey) return;
  const group = job.nextSurvey();
  // A copied result of an earlier step has its own survey.
  const surveyed = [...tensors].filter(
    ([, { value }]) => value.kind === 'merged' && value.method === method.id && !value.survey,
  );
  surveyed
    .sort(([a], [b]) => compareNames(a, b))
    .forEach(([name, tensor], index) => {
      if (tensor.value.kind !== 'merged') return;
      tensors.set(name, { ...tensor, value: { ...tensor.value, survey: { group, index } } });
    });
}

function findingsOf({ step, missing }: MergeRequest, notes: Notes): readonly Finding[] {
  const lacking = [...notes.lacking].map(([model, names]) => {
    const detail = {
      step,
      where: model,
      expected: 'the tensors that the other models have',
      got: `${names.length} missing: ${listNames(names)}`,
    };
    return missing === 'error' ? fail('pipeline/keys', detail) : caution('pipeline/keys', detail);
  });
  const misshapen = fail('pipeline/shapes', {
    step,
    expected: 'tensors of one name to have one shape',
    got: `${notes.misshapen.length} that differ: ${listNames(notes.misshapen)}`,
  });
  const markers = caution('pipeline/markers', {
    step,
    expected: 'the same markers in all models',
    got: listNames(notes.markers),
  });
  return [
    ...lacking,
    ...(notes.misshapen.length > 0 ? [misshapen] : []),
    ...(notes.markers.length > 0 ? [markers] : []),
  ];
}

function note<Key>(notes: Map<Key, string[]>, key: Key, name: string): void {
  const names = notes.get(key);
  if (names) names.push(name);
  else notes.set(key, [name]);
}

function isSameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((side, axis) => side === b[axis]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
