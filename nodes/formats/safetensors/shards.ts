import { LineageError } from '../../kit/errors.ts';
import { byteLength, type SafetensorsHeader } from './header.ts';
import {
  expectEnd,
  fault,
  type JsonScan,
  peek,
  readObject,
  readString,
  readUnsigned,
  skipNull,
  skipValue,
  startScan,
} from './json-scan.ts';
import type { TensorShape } from './layout.ts';
import { compareNames } from './name-order.ts';

/** What `X.safetensors.index.json` says. */
export type ShardIndex = {
  /** `metadata.total_size`: bytes of all tensors; undefined where it is missing or no whole number. Nothing relies on it. */
  readonly totalBytes: number | undefined;
  /** Tensor to file name, in the order of the index. */
  readonly shardOf: ReadonlyMap<string, string>;
};

/** Digits of a shard's number in its file name, as the Hub's libraries write it. */
const NUMBER_DIGITS = 5;

/**
 * Reads the index of a model in several files. A shard is a plain name beside the index: whoever wrote the index must
 * not choose what else is opened.
 *
 * @param json the whole index file; not retained.
 * @throws LineageError `safetensors/index`
 * @see https://huggingface.co/docs/huggingface_hub/package_reference/serialization
 */
export function parseShardIndex(json: Uint8Array): ShardIndex {
  const scan = startScan(json, 'safetensors/index', 0);
  const shardOf = new Map<string, string>();
  const seen = new Set<string>();
  let totalBytes: number | undefined;
  readObject(scan, 'an object', (key) => {
    if (seen.has(key)) throw fault(scan, `${JSON.stringify(key)} once`, 'it again');
    seen.add(key);
    if (key === 'weight_map') readWeightMap(scan, shardOf);
    else if (key === 'metadata') totalBytes = readTotalBytes(scan);
    else skipValue(scan, 1);
  });
  expectEnd(scan);
  if (!seen.has('weight_map')) throw fault(scan, 'a weight_map', 'none');
  return { totalBytes, shardOf };
}

function readWeightMap(scan: JsonScan, shardOf: Map<string, string>): void {
  readObject(scan, 'an object as weight_map', (tensor) => {
    if (shardOf.has(tensor)) throw fault(scan, `tensor ${JSON.stringify(tensor)} once`, 'it again');
    const file = readString(scan, 'the name of a shard');
    if (!isPlainName(file))
      throw fault(scan, 'a shard beside the index, without a folder', JSON.stringify(file.slice(0, 200)));
    shardOf.set(tensor, file);
  });
}

/** One component of a path on every system: no separator, drive, stream, control character or dots alone. */
function isPlainName(name: string): boolean {
  return /^[^/\\:\x00-\x1f\x7f]+$/.test(name) && !/^\.+$/.test(name);
}

/** Some writers give a fraction (`1.2e10`) or other keys beside it: nothing relies on the number, so they are passed over. */
function readTotalBytes(scan: JsonScan): number | undefined {
  if (skipNull(scan)) return undefined;
  let totalBytes: number | undefined;
  readObject(scan, 'an object as metadata', (key) => {
    peek(scan);
    const start = scan.at;
    skipValue(scan, 2);
    const isWhole = /^\d{1,15}$/.test(scan.bytes.toString('latin1', start, scan.at));
    if (key !== 'total_size' || !isWhole) return;
    scan.at = start;
    totalBytes = readUnsigned(scan, 'total_size');
  });
  return totalBytes;
}

/**
 * Checks that index and shards say the same: every listed tensor is in its shard, and no shard holds another one.
 *
 * @param headers the header of every shard that the index names, by file name.
 * @throws LineageError `safetensors/index`
 */
export function checkShards(index: ShardIndex, headers: ReadonlyMap<string, SafetensorsHeader>): void {
  for (const [tensor, file] of index.shardOf) {
    if (headers.get(file)?.tensors.has(tensor) !== true)
      throw new LineageError(
        'safetensors/index',
        `expected tensor ${JSON.stringify(tensor)} in its shard, got none`,
        {
          file,
        },
      );
  }
  for (const [file, { tensors }] of headers) {
    for (const tensor of tensors.keys()) {
      const listed = index.shardOf.get(tensor);
      if (listed !== file)
        throw new LineageError(
          'safetensors/index',
          `expected tensor ${JSON.stringify(tensor)} in ${listed ?? 'no shard: the index lacks it'}, got it here`,
          { file },
        );
    }
  }
}

/**
 * Distributes tensors over shards, in the order given: a shard is closed when the next tensor would pass the limit.
 * A tensor larger than that gets a shard of its own.
 *
 * @param maxBytes of the tensors of one shard, without its header; at least 1.
 * @returns at least one shard, which is empty only if there are no tensors.
 * @throws LineageError `safetensors/layout` for a shape that fills no whole bytes
 */
export function planShards<T extends TensorShape>(tensors: Iterable<T>, maxBytes: number): T[][] {
  let shard: T[] = [];
  let shardBytes = 0;
  const shards = [shard];
  for (const tensor of tensors) {
    const bytes = byteLength(tensor.dtype, tensor.shape);
    if (bytes === undefined)
      throw new LineageError(
        'safetensors/layout',
        `expected a shape of whole bytes, got ${tensor.dtype} [${tensor.shape}] of ${JSON.stringify(tensor.name)}`,
      );
    if (shard.length > 0 && shardBytes + bytes > maxBytes) {
      shard = [];
      shardBytes = 0;
      shards.push(shard);
    }
    shard.push(tensor);
    shardBytes += bytes;
  }
  return shards;
}

/**
 * The file name of a shard: `model-00001-of-00002.safetensors`, and `model.safetensors` where there is only one.
 *
 * @param number from 1.
 */
export function nameShard(stem: string, number: number, count: number): string {
  if (count === 1) return `${stem}.safetensors`;
  const [at, of] = [number, count].map((each) => String(each).padStart(NUMBER_DIGITS, '0'));
  return `${stem}-${at}-of-${of}.safetensors`;
}

/** The index as the Hub's libraries write it: sorted by key, two spaces of indentation, a line end; UTF-8. */
export function writeShardIndex(totalBytes: number, shardOf: ReadonlyMap<string, string>): Uint8Array {
  const rows = [...shardOf]
    .sort(([a], [b]) => compareNames(a, b))
    .map(([tensor, file]) => `    ${JSON.stringify(tensor)}: ${JSON.stringify(file)}`);
  const map = rows.length === 0 ? '{}' : `{\n${rows.join(',\n')}\n  }`;
  return new TextEncoder().encode(
    `{\n  "metadata": {\n    "total_size": ${totalBytes}\n  },\n  "weight_map": ${map}\n}\n`,
  );
}
