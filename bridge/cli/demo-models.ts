import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isLineageError } from '../../nodes/kit/errors.ts';
import type { ModelFolder } from '../../nodes/kit/values.ts';
import type { PromptGraph } from '../../nodes/metadata/graph.ts';
import { readFileChecked } from '../local/read-file.ts';
import { unwritable, writeFileAtomic } from '../local/write-file.ts';

/** The inputs of the demo's loaders, and where ComfyUI keeps what they name. */
const FOLDERS: Readonly<Record<string, ModelFolder>> = {
  ckpt_name: 'checkpoints',
  unet_name: 'diffusion_models',
  vae_name: 'vae',
  clip_name: 'text_encoders',
  clip_name1: 'text_encoders',
  clip_name2: 'text_encoders',
  lora_name: 'loras',
};
const DATA_BYTES = 4096;

/**
 * Writes a small but valid safetensors file for each model that a graph names, in ComfyUI's folder layout, so that
 * hashes are computed from files as they always are.
 *
 * @returns the paths below `folder`
 * @throws LineageError `output/exists` where another file has the name: a real model is never replaced
 */
export async function writeStandInModels(graph: PromptGraph, folder: string): Promise<readonly string[]> {
  const names = new Set<string>();
  for (const { literals } of graph.values()) {
    for (const [input, value] of literals) {
      const shelf = FOLDERS[input];
      if (shelf !== undefined && typeof value === 'string') names.add(`${shelf}/${value}`);
    }
  }
  for (const name of names) {
    const file = join(folder, name);
    await makeFolder(dirname(file));
    await writeOnce(file, makeSafetensors(name));
  }
  return [...names];
}

/** @throws LineageError `file/unwritable` */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw unwritable(folder, error);
  }
}

/** Leaves a file of an earlier run as it is. */
async function writeOnce(file: string, bytes: Uint8Array): Promise<void> {
  try {
    await writeFileAtomic(file, bytes, { replace: false });
  } catch (error) {
    if (!isLineageError(error, 'output/exists')) throw error;
    const isOurs = (await stat(file)).size === bytes.length;
    if (!isOurs || Buffer.compare(await readFileChecked(file, bytes.length), bytes) !== 0) throw error;
  }
}

/**
 * header length (u64 LE) · JSON header · one tensor of bytes that follow from the name
 * @see https://github.com/huggingface/safetensors#format
 */
function makeSafetensors(name: string): Uint8Array {
  const header = JSON.stringify({
    __metadata__: { format: 'pt', description: `stand-in for ${name}, made by the demo of Lineage` },
    weight: { dtype: 'U8', shape: [DATA_BYTES], data_offsets: [0, DATA_BYTES] },
  });
  // Spaces up to a multiple of 8 keep the data aligned.
  const padded = Buffer.from(header.padEnd(Math.ceil(header.length / 8) * 8), 'ascii');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const data = createHash('shake256', { outputLength: DATA_BYTES }).update(name).digest();
  return Buffer.concat([length, padded, data]);
}
