import { byteLength } from '../formats/safetensors/header.ts';
import { layoutTensors, type TensorShape } from '../formats/safetensors/layout.ts';
import { nameShard, planShards, writeShardIndex } from '../formats/safetensors/shards.ts';
import { detectArchitecture } from '../merge/architectures/detect.ts';
import type { OutputTensor } from '../merge/job.ts';
import type { FileFacts, HeldTensor } from './facts.ts';
import type { ModelView } from './view.ts';

/** Where a result goes: one file, or several of at most `maxBytes` of tensors, with their index at the path. */
export type OutputPlace = {
  readonly path: string;
  readonly identity: string;
  readonly volume: string;
  readonly maxBytes?: number;
};

/** A result before it is there: its tensors in the order of the file, and what the file will be. */
export type PredictedOutput = {
  readonly tensors: readonly OutputTensor[];
  readonly facts: FileFacts;
  /** The files of a model in several, with the names of their tensors; absent for a model in one. */
  readonly shards?: readonly { readonly path: string; readonly tensors: readonly string[] }[];
};

/**
 * Lays a result out as it will be written: exact to the byte for the header's texts that are given.
 *
 * @param metadata texts of the header; every shard has them.
 * @throws LineageError `safetensors/layout` for tensors that no file can hold
 */
export function predictOutput(
  view: ModelView,
  place: OutputPlace,
  metadata: ReadonlyMap<string, string>,
): PredictedOutput {
  const shapes = [...view.tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const whole = layoutTensors(shapes, metadata);
  const stem = place.path.replace(/(\.safetensors)?(\.index\.json)?$/, '');
  const files =
    place.maxBytes === undefined
      ? [{ path: place.path, layout: whole }]
      : planShards(whole.tensors.values(), place.maxBytes).map((tensors, index, { length }) => ({
          path: nameShard(stem, index + 1, length),
          layout: layoutTensors(tensors, metadata),
        }));
  const held = new Map<string, HeldTensor>();
  for (const { path, layout } of files) {
    for (const { name, dtype, shape, begin } of layout.tensors.values())
      held.set(name, { dtype, shape, file: path, offset: layout.header.length + begin });
  }
  const headerBytes = files.reduce((sum, { layout }) => sum + layout.header.length, 0);
  const dataBytes = files.reduce((sum, { layout }) => sum + layout.dataBytes, 0);
  const shardOf = new Map([...held].map(([name, { file }]) => [name, file.split('/').at(-1) ?? file]));
  const indexBytes = files.length > 1 ? writeShardIndex(dataBytes, shardOf).length : 0;
  const tensors = [...held.keys()].flatMap((name) => {
    const tensor = view.tensors.get(name);
    return tensor ? [{ name, ...tensor }] : [];
  });
  return {
    tensors,
    facts: {
      path: place.path,
      identity: place.identity,
      volume: place.volume,
      exists: false,
      bytes: headerBytes + dataBytes + indexBytes,
      headerBytes: headerBytes + indexBytes,
      tensors: held,
      detection: detectArchitecture(held),
      metadata,
    },
    ...(files.length > 1 && {
      shards: files.map(({ path, layout }) => ({ path, tensors: [...layout.tensors.keys()] })),
    }),
  };
}

/** Bytes of a stored tensor's elements. */
export function tensorBytes({ dtype, shape }: Pick<TensorShape, 'dtype' | 'shape'>): number {
  return byteLength(dtype, shape) ?? 0;
}
