import type { Dtype } from '../formats/safetensors/dtypes.ts';
import type { PeftConfig } from '../lora/dialects/peft-config.ts';
import type { Detection } from '../merge/architectures/detect.ts';
import type { PRECISIONS } from './manifest-words.ts';

/** A tensor of a file, and where its bytes are. */
export type HeldTensor = {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Path of the file that holds it: a shard's, where a model has several. */
  readonly file: string;
  /** First byte, from the start of that file. */
  readonly offset: number;
};

/** What is known of a file before anything runs; the bridge collects it, plans predict it for results of steps. */
export type FileFacts = {
  /** As the manifest spells it. */
  readonly path: string;
  /** The same text for the same file, through links and case; also for one that does not exist yet. */
  readonly identity: string;
  readonly exists: boolean;
  /** Of all its shards; 0 where it does not exist. */
  readonly bytes: number;
  /** Of the headers, which are read as well. */
  readonly headerBytes: number;
  /** The disk it is on: the same text for the same disk. */
  readonly volume: string;
  /** Why it cannot be read, where it is there and cannot be. */
  readonly problem?: { readonly expected: string; readonly got: string; readonly hint: string };
  readonly tensors: ReadonlyMap<string, HeldTensor>;
  readonly detection?: Detection;
  readonly metadata: ReadonlyMap<string, string>;
  /** Of the `adapter_config.json` that belongs to the file: how PEFT scales it. */
  readonly adapterConfig?: PeftConfig;
};

/** Everything that the checks and plans of a manifest know of the world. */
export type PipelineFacts = {
  /** By path as the manifest spells it: inputs, and outputs that may not exist yet. */
  readonly files: ReadonlyMap<string, FileFacts>;
  /** Bytes that may still be written, by volume. */
  readonly freeBytes: ReadonlyMap<string, number>;
};

/** A precision as manifests spell it. */
export type Precision = (typeof PRECISIONS)[number];

const DTYPE_OF: Readonly<Record<Precision, Dtype>> = {
  fp32: 'F32',
  fp16: 'F16',
  bf16: 'BF16',
  fp8_e4m3: 'F8_E4M3',
  fp8_e5m2: 'F8_E5M2',
};

/** The element type of a precision. */
export function dtypeOf(precision: Precision): Dtype {
  return DTYPE_OF[precision];
}

/** Whether two names mean one architecture: case, points, spaces and dashes aside. */
export function isSameArchitecture(a: string, b: string): boolean {
  return plain(a) === plain(b);
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}
