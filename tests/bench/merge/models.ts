import { closeSync, openSync, writeSync } from 'node:fs';
import type { FloatDtype } from '../../../nodes/formats/floats.ts';
import { encodeFloats, floatBytes } from '../../../nodes/formats/floats.ts';
import type { TensorLayout, TensorShape } from '../../../nodes/formats/safetensors/layout.ts';
import type { MergedTensor, MergeJob } from '../../../nodes/merge/job.ts';

/** Elements of the block that files are filled with, again and again: writing must not take longer than measuring. */
const BLOCK_ELEMENTS = 2 ** 22;

/**
 * Names and shapes like those of a Stable Diffusion 1.5 checkpoint, so many large and so many small ones, until they
 * have about so many elements together.
 */
export function shapesLikeSd15(dtype: FloatDtype, elements: number): TensorShape[] {
  const tensors: TensorShape[] = [];
  let total = 0;
  const add = (name: string, ...shape: number[]): void => {
    tensors.push({ name, dtype, shape });
    total += shape.reduce((product, side) => product * side, 1);
  };
  for (let block = 0; total < elements; block++) {
    const width = [320, 640, 1280, 1280][block % 4] ?? 0;
    const at = `model.diffusion_model.input_blocks.${block}`;
    for (const norm of ['0.in_layers.0', '0.out_layers.0', '1.norm', '1.transformer_blocks.0.norm1']) {
      add(`${at}.${norm}.weight`, width);
      add(`${at}.${norm}.bias`, width);
    }
    for (const conv of ['0.in_layers.2', '0.out_layers.3']) {
      add(`${at}.${conv}.weight`, width, width, 3, 3);
      add(`${at}.${conv}.bias`, width);
    }
    for (const part of ['attn1.to_q', 'attn1.to_k', 'attn1.to_v', 'attn1.to_out.0']) {
      add(`${at}.1.transformer_blocks.0.${part}.weight`, width, width);
    }
    for (const part of ['attn2.to_k', 'attn2.to_v']) {
      add(`${at}.1.transformer_blocks.0.${part}.weight`, width, 768);
    }
    add(`${at}.1.transformer_blocks.0.ff.net.0.proj.weight`, 8 * width, width);
    add(`${at}.1.transformer_blocks.0.ff.net.2.weight`, width, 4 * width);
  }
  return tensors;
}

/** Writes a model of numbers without pattern, mostly small as weights are; another one for another seed. */
export function writeModel(path: string, layout: TensorLayout, dtype: FloatDtype, seed: number): void {
  const block = drawBlock(dtype, seed);
  const file = openSync(path, 'w');
  writeSync(file, layout.header);
  for (let left = layout.dataBytes; left > 0; )
    left -= writeSync(file, block, 0, Math.min(left, block.length));
  closeSync(file);
}

function drawBlock(dtype: FloatDtype, seed: number): Uint8Array {
  let state = seed;
  const draw = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 31 - 1;
  };
  const numbers = Float32Array.from({ length: BLOCK_ELEMENTS }, () => 0.06 * (draw() + draw()));
  const bytes = new Uint8Array(BLOCK_ELEMENTS * floatBytes(dtype));
  encodeFloats(dtype, numbers, bytes);
  return bytes;
}

/** Every tensor by one method; the last file is the base where the method takes one. */
export function jobLike(
  files: readonly string[],
  shapes: readonly TensorShape[],
  layout: TensorLayout,
  method: Pick<MergedTensor, 'method' | 'params' | 'weights'>,
): MergeJob {
  const tensors = shapes.map(({ name, dtype, shape }) => {
    const offset = layout.header.length + (layout.tensors.get(name)?.begin ?? 0);
    const inputs = files.map((_, file) => ({ kind: 'stored' as const, file, dtype, shape, offset }));
    const [models, base] = [inputs.slice(0, method.weights.length), inputs[method.weights.length]];
    const value = { kind: 'merged' as const, ...method, shape, name, models, ...(base && { base }) };
    return { name, dtype, shape, value };
  });
  return { files, tensors, metadata: new Map([['format', 'pt']]), notFinite: 'keep' };
}
