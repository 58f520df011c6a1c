import type { Dtype } from '../formats/safetensors/dtypes.ts';
import type { Params, ParamValues } from './method.ts';

/**
 * A file to be made, with everything decided: which tensor comes from which bytes by which arithmetic. Plain data
 * that can be posted to a worker. Plans make it, the engine in the bridge runs it.
 */
export type MergeJob = {
  /** Paths of the inputs, named by their place in the list. */
  readonly files: readonly string[];
  /** In the order of the output file. */
  readonly tensors: readonly OutputTensor[];
  /** Texts of the header; the seal (hashes, recipe) is in it already. */
  readonly metadata: ReadonlyMap<string, string>;
  /** What to do with a NaN or an infinity in an input of arithmetic; copies keep them. All are counted. */
  readonly notFinite: 'error' | 'keep' | 'zero';
};

/** One tensor of the output. */
export type OutputTensor = {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly value: Operand;
};

/** A value of an output's shape. Floats are computed in float32 and rounded once, where the output stores them. */
export type Operand = StoredTensor | ConstantTensor | MergedTensor | AdaptedTensor;

/** Bytes of an input. With the output's dtype they are copied as they are. */
export type StoredTensor = {
  readonly kind: 'stored';
  /** Index into `files`. */
  readonly file: number;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** First byte in the file, counted from its start: of the rows that are meant, where not all are. */
  readonly offset: number;
};

/** Bytes that the plan knows, like CLIP's position ids. */
export type ConstantTensor = {
  readonly kind: 'constant';
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
};

/** The result of a merge method; its inputs may be results themselves (a fused pipeline writes no intermediates). */
export type MergedTensor = {
  readonly kind: 'merged';
  /** Id of the method. */
  readonly method: string;
  /** Complete and checked. */
  readonly params: ParamValues<Params>;
  readonly weights: readonly number[];
  readonly shape: readonly number[];
  /** The name that random methods draw by. */
  readonly name: string;
  readonly models: readonly Operand[];
  readonly base?: Operand;
  /** Where the method surveys the whole model first: which survey of the job, and the place in it, by name. */
  readonly survey?: { readonly group: number; readonly index: number };
};

/** A weight with adapters baked in, one after the other. */
export type AdaptedTensor = {
  readonly kind: 'adapted';
  readonly shape: readonly number[];
  readonly base: Operand;
  readonly patches: readonly AdapterPatch[];
};

/** One module of an adapter, on the whole weight or on some of its rows. */
export type AdapterPatch = {
  /** `lora loha lokr …`, as `nodes/lora` names them. */
  readonly adapter: string;
  readonly strength: number;
  /** First row and the one after the last, for a slice of a fused weight. */
  readonly rows?: readonly [number, number];
  readonly tensors: Readonly<Record<string, StoredTensor>>;
  readonly numbers: Readonly<Record<string, number>>;
};
