import { type FileHandle, open } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Dtype } from '../../nodes/formats/safetensors/dtypes.ts';
import {
  LENGTH_BYTES,
  parseHeader,
  readHeaderLength,
  type SafetensorsHeader,
} from '../../nodes/formats/safetensors/header.ts';
import { checkShards, parseShardIndex } from '../../nodes/formats/safetensors/shards.ts';
import { refusePickle } from '../../nodes/formats/torch-checkpoint.ts';
import { isLineageError, LineageError, type Where } from '../../nodes/kit/errors.ts';
import { readFileChecked, readHead } from '../local/read-file.ts';
import { describeGguf, isGguf, readGguf } from './read-gguf.ts';

/** A tensor of a model, wherever it lies. */
type WeightsTensor = {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Index into `files`. */
  readonly file: number;
  /** Of its first byte, from the start of that file. */
  readonly offset: number;
  readonly bytes: number;
};

/** A model of one file or several, every header checked against its file. Nothing of it is kept open. */
export type Weights = {
  readonly files: readonly string[];
  /** In the order of the header, or of the index. */
  readonly tensors: ReadonlyMap<string, WeightsTensor>;
  /** Texts of the header; of shards, those of the first that has each key. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Of all files. */
  readonly bytes: number;
};

const INDEX_SUFFIX = '.index.json';
/** Enough to know a pickle by. */
const OTHER_HEAD_BYTES = 65_536;
/** As long as a header may be. */
const INDEX_BYTES_MAX = 100_000_000;

/** One file, and what its head says. */
type Opened = {
  readonly path: string;
  readonly header: SafetensorsHeader;
  readonly dataAt: number;
  readonly bytes: number;
};

/**
 * Opens a safetensors file, or by its index (`….safetensors.index.json`) a model in shards, which lie beside it.
 *
 * @throws LineageError `file/missing`, `file/unreadable`, `safetensors/malformed`, `safetensors/index`;
 *   `weights/pickle` for a file that Python pickled, whatever it is called: nothing of it is ever run; `weights/gguf`,
 *   which says what is in it, `gguf/malformed`
 */
export async function openWeights(path: string): Promise<Weights> {
  if (!path.endsWith(INDEX_SUFFIX)) {
    const file = await openFile(path);
    return weightsOf(
      [file],
      [...file.header.tensors.keys()].map((name) => [name, 0]),
    );
  }
  const index = parseShardIndex(await readFileChecked(path, INDEX_BYTES_MAX));
  const names = [...new Set(index.shardOf.values())];
  const shards: Opened[] = [];
  for (const name of names) shards.push(await openFile(join(dirname(path), name)));
  checkShards(index, new Map(shards.map((shard) => [basename(shard.path), shard.header])));
  return weightsOf(
    shards,
    [...index.shardOf].map(([tensor, file]) => [tensor, names.indexOf(file)]),
  );
}

function weightsOf(
  files: readonly Opened[],
  places: Iterable<readonly [tensor: string, file: number]>,
): Weights {
  const tensors = new Map<string, WeightsTensor>();
  for (const [name, file] of places) {
    const { header, dataAt } = files[file] ?? {};
    const info = header?.tensors.get(name);
    if (!info || dataAt === undefined) throw new Error(`no tensor ${name} where it was found`);
    const { dtype, shape, begin, end } = info;
    tensors.set(name, { dtype, shape, file, offset: dataAt + begin, bytes: end - begin });
  }
  return {
    files: files.map(({ path }) => path),
    tensors,
    // The first that has a key comes last, and so counts.
    metadata: new Map(files.toReversed().flatMap(({ header }) => [...(header.metadata ?? [])])),
    bytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function openFile(path: string): Promise<Opened> {
  const first = await readHead(path, LENGTH_BYTES);
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { size } = await file.stat();
    const length = readHeaderLength(first, size);
    const head = new Uint8Array(length);
    await file.read(head, 0, length, LENGTH_BYTES);
    const dataAt = LENGTH_BYTES + length;
    return { path, header: parseHeader(head, size - dataAt), dataAt, bytes: size };
  } catch (error) {
    if (!isLineageError(error)) throw error;
    await refuseOtherWeights(path);
    // What reads bytes does not know whose they are.
    const where: Where = { ...error.where, file: path };
    throw new LineageError(error.code, error.message, where, { cause: error });
  } finally {
    await file?.close();
  }
}

/** Says what a file is where it holds weights in another format. */
async function refuseOtherWeights(path: string): Promise<void> {
  const head = await readHead(path, OTHER_HEAD_BYTES);
  refusePickle(head, path);
  if (!isGguf(head)) return;
  const got = describeGguf(await readGguf(path));
  throw new LineageError('weights/gguf', `expected safetensors, got ${got}`, { file: path });
}
