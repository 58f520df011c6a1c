import { basename, dirname, join } from 'node:path';
import { layoutTensors, type TensorShape } from '../../nodes/formats/safetensors/layout.ts';
import { writeShardIndex } from '../../nodes/formats/safetensors/shards.ts';
import { isLineageError } from '../../nodes/kit/errors.ts';
import type { PredictedOutput } from '../../nodes/pipeline/predict-output.ts';
import { hashText } from '../local/hash-text.ts';
import { readFileChecked, readHead } from '../local/read-file.ts';
import { TEMPORARY_PREFIX } from '../local/write-file.ts';
import { openWeights } from '../merge/open-weights.ts';
import { STEP_KEY } from './describe-steps.ts';
import { type HashAccess, hashData } from './identify-models.ts';

/** The text of a header that holds the hash of the data, `0x` before it. */
export const HASH_KEY = 'modelspec.hash_sha256';

/** A file that a step is to make. */
export type ExpectedFile = {
  /** Absolute. */
  readonly path: string;
  /** In any order; undefined where they are known only when they are made. */
  readonly tensors?: readonly TensorShape[];
};

/** All files of a result; the index is written last, where there are several. */
export type ExpectedOutput = {
  readonly files: readonly ExpectedFile[];
  readonly index?: { readonly path: string; readonly bytes: Uint8Array };
};

/**
 * What is there of a result. `whole`: the very bytes that would be made. `relabelled`: the same tensors, but the texts
 * of the header say something else, like an earlier name of a source.
 */
export type OutputState = 'whole' | 'relabelled' | 'missing' | 'changed';

/** The files of a planned result. */
export function expectOutput(
  path: string,
  predicted: PredictedOutput | undefined,
  pathOf: (spelled: string) => string,
): ExpectedOutput {
  if (!predicted) return { files: [{ path: pathOf(path) }] };
  const shapes = new Map(predicted.tensors.map(({ name, dtype, shape }) => [name, { name, dtype, shape }]));
  const { shards } = predicted;
  if (!shards) return { files: [{ path: pathOf(path), tensors: [...shapes.values()] }] };
  const shardOf = new Map(
    shards.flatMap(({ path: shard, tensors }) => tensors.map((name) => [name, basename(shard)] as const)),
  );
  const { bytes, headerBytes } = predicted.facts;
  return {
    files: shards.map(({ path: shard, tensors }) => ({
      path: pathOf(shard),
      tensors: tensors.flatMap((name) => shapes.get(name) ?? []),
    })),
    index: { path: indexPath(pathOf(path)), bytes: writeShardIndex(bytes - headerBytes, shardOf) },
  };
}

/** Where a model in several files has its index. */
function indexPath(path: string): string {
  return `${path.replace(/(\.safetensors)?(\.index\.json)?$/, '')}.safetensors.index.json`;
}

/**
 * Looks whether a result is there already: the header byte for byte, the data by its hash.
 *
 * @param texts of the header, the hash still open.
 */
export async function lookAtOutput(
  { files, index }: ExpectedOutput,
  texts: ReadonlyMap<string, string>,
  access: HashAccess,
): Promise<OutputState> {
  let worst: OutputState = 'whole';
  for (const file of files) {
    const state = await lookAtFile(file, texts, access);
    if (state === 'missing' || state === 'changed') return state;
    if (state === 'relabelled') worst = state;
  }
  if (!index) return worst;
  const there = await unlessMissing(() => readFileChecked(index.path, index.bytes.length));
  if (there === undefined) return 'missing';
  return there !== 'damaged' && Buffer.compare(there, index.bytes) === 0 ? worst : 'changed';
}

async function lookAtFile(
  { path, tensors }: ExpectedFile,
  texts: ReadonlyMap<string, string>,
  access: HashAccess,
): Promise<OutputState> {
  const weights = await unlessMissing(() => openWeights(path));
  if (weights === undefined) return 'missing';
  if (weights === 'damaged') return 'changed';
  const hash = weights.metadata.get(HASH_KEY) ?? '';
  if (!/^0x[0-9a-f]{64}$/.test(hash)) return 'changed';
  const found = [...weights.tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const header = (metadata: ReadonlyMap<string, string>, shapes: readonly TensorShape[]): Uint8Array =>
    layoutTensors(shapes, metadata).header;
  const expected = header(new Map([...texts, [HASH_KEY, hash]]), tensors ?? found);
  const isSame = Buffer.compare(await readHead(path, expected.length), expected) === 0;
  if (!isSame) {
    const own = header(weights.metadata, tensors ?? found);
    const isOurs = weights.metadata.get(STEP_KEY) === texts.get(STEP_KEY);
    if (!isOurs || Buffer.compare(await readHead(path, own.length), own) !== 0) return 'changed';
  }
  if ((await hashData(path, access)) !== hash.slice(2)) return 'changed';
  return isSame ? 'whole' : 'relabelled';
}

/** Undefined for what is not there; what cannot be read as a model counts as damaged. */
async function unlessMissing<T>(read: () => Promise<T>): Promise<T | 'damaged' | undefined> {
  try {
    return await read();
  } catch (error) {
    if (isLineageError(error, 'file/missing')) return undefined;
    if (isLineageError(error)) return 'damaged';
    throw error;
  }
}

/** Whether a file says in its header that a step made it. Anything else is not ours to delete. */
export async function isMadeByStep(path: string): Promise<boolean> {
  const weights = await unlessMissing(() => openWeights(path));
  return weights !== undefined && weights !== 'damaged' && weights.metadata.has(STEP_KEY);
}

/** Where a file is while its hash is not yet in its header: beside the name that it will have. */
export function unsealedPath(path: string): string {
  return join(dirname(path), `${TEMPORARY_PREFIX}step-${keyOfName(basename(path))}.safetensors`);
}

/** What the name of an output is called by within the names of unfinished files beside it. */
export function keyOfName(name: string): string {
  return hashText(name).slice(0, 16);
}
