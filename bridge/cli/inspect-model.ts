import type { GgufValue } from '../../nodes/formats/gguf-values.ts';
import { refusePickle } from '../../nodes/formats/torch-checkpoint.ts';
import { type Detection, detectArchitecture } from '../../nodes/merge/architectures/detect.ts';
import { readHead } from '../local/read-file.ts';
import { openWeights } from '../merge/open-weights.ts';
import { architectureOf, isGguf, readGguf, shareTypes } from '../merge/read-gguf.ts';
import { isWeightsFile } from './explain-model.ts';

/** Enough to know a pickle by. */
const HEAD_BYTES = 65_536;
/** Vocabularies have 100,000 values, and nobody reads them here. */
const MAX_VALUES = 16;

/** What the header of a model says, and what can be done with it; undefined for what is no file of weights. */
type InspectedModel = {
  readonly format: 'safetensors' | 'gguf';
  readonly architecture: string | undefined;
  /** What Lineage does with such a file. */
  readonly use: string;
  readonly tensors: object;
  readonly metadata: object;
};

/**
 * Reads the header of a model, which is told by its content.
 *
 * @throws LineageError `weights/pickle` for a file that Python pickled; `safetensors/malformed`, `safetensors/index`,
 *   `gguf/malformed`, `file/missing`, `file/unreadable`
 */
export async function inspectModel(file: string): Promise<InspectedModel | undefined> {
  // What cannot be read is told by whoever reads all of it.
  const head = await readHead(file, HEAD_BYTES).catch(() => new Uint8Array());
  if (isGguf(head)) return await inspectGguf(file);
  if (await isWeightsFile(file)) return await inspectSafetensors(file);
  refusePickle(head, file);
  return undefined;
}

async function inspectGguf(file: string): Promise<InspectedModel> {
  const header = await readGguf(file);
  return {
    format: 'gguf',
    architecture: architectureOf(header),
    use: 'pictures name it and its hash; for a merge, give the safetensors file that it was made from',
    tensors: { count: header.tensors.size, types: shareTypes(header) },
    metadata: Object.fromEntries([...header.metadata].map(([key, value]) => [key, showValue(value)])),
  };
}

/** As JSON has it: 64-bit integers as text, long lists by their length. */
function showValue(value: GgufValue): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object') return value;
  return value.length > MAX_VALUES ? `${value.length} values` : value.map(showValue);
}

async function inspectSafetensors(file: string): Promise<InspectedModel & { readonly files: number }> {
  const { files, tensors, metadata } = await openWeights(file);
  const types = new Map<string, { type: string; tensors: number; bytes: number }>();
  for (const { dtype, bytes } of tensors.values()) {
    const known = types.get(dtype) ?? { type: dtype, tensors: 0, bytes: 0 };
    types.set(dtype, { type: dtype, tensors: known.tensors + 1, bytes: known.bytes + bytes });
  }
  const { found } = detectArchitecture(tensors);
  return {
    format: 'safetensors',
    files: files.length,
    architecture: found?.architecture.title,
    use: useOf(found),
    tensors: { count: tensors.size, types: [...types.values()].sort((a, b) => b.bytes - a.bytes) },
    metadata: Object.fromEntries(metadata),
  };
}

function useOf(found: Detection['found']): string {
  if (!found)
    return 'merges with models of the same tensors, but not by blocks: its architecture is not known';
  const isAdapter = found.keySpace === 'kohya' || found.keySpace === 'peft';
  return isAdapter ? 'an adapter: lora_merge bakes it into a checkpoint' : 'merges, by blocks too';
}
