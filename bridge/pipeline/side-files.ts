import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import {
  decodeFloats,
  encodeFloats,
  type FloatDtype,
  floatBytes,
  isFloat,
} from '../../nodes/formats/floats.ts';
import { countElements } from '../../nodes/formats/safetensors/dtypes.ts';
import { layoutTensors, type TensorShape } from '../../nodes/formats/safetensors/layout.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { reasonOf } from '../local/system-error.ts';
import { unwritable } from '../local/write-file.ts';
import type { SideFile, SideResult, SideTensor } from './side-task.ts';

/** Reads tensors of files that stay open until all is done. */
export type TensorReader = {
  /** Elements `start` to `start + out.length`, widened to float32. */
  read(tensor: SideTensor, start: number, out: Float32Array): void;
  /** All elements of a tensor. */
  whole(tensor: SideTensor): Float32Array;
  close(): void;
};

export function createTensorReader(): TensorReader {
  const open = new Map<string, number>();
  let buffer = new Uint8Array();

  function read({ dtype, file, offset }: SideTensor, start: number, out: Float32Array): void {
    if (!isFloat(dtype))
      throw new LineageError('merge/dtype', `expected floats to compute with, got ${dtype}`, { file });
    const width = floatBytes(dtype);
    const bytes = width * out.length;
    if (buffer.length < bytes) buffer = new Uint8Array(bytes);
    fill(file, buffer, bytes, offset + width * start);
    decodeFloats(dtype, buffer.subarray(0, bytes), out);
  }

  function fill(file: string, into: Uint8Array, bytes: number, at: number): void {
    try {
      const handle = open.get(file) ?? openSync(file, 'r');
      open.set(file, handle);
      for (let done = 0; done < bytes; ) {
        const got = readSync(handle, into, done, bytes - done, at + done);
        if (got === 0) throw new Error(`the file ends at ${at + done}`);
        done += got;
      }
    } catch (error) {
      const message = `expected ${bytes} bytes at ${at}, got: ${reasonOf(error)}`;
      throw new LineageError('file/unreadable', message, { file }, { cause: error });
    }
  }

  return {
    read,
    whole(tensor) {
      const out = new Float32Array(countElements(tensor.shape));
      read(tensor, 0, out);
      return out;
    },
    close() {
      for (const handle of open.values()) closeSync(handle);
    },
  };
}

/**
 * Writes a small model: every tensor is computed when its turn comes.
 *
 * @param valuesOf the elements of a tensor, by name.
 * @throws LineageError `file/unwritable`, and what `valuesOf` throws
 */
export function writeTensors(
  { path, metadata }: SideFile,
  shapes: readonly (TensorShape & { readonly dtype: FloatDtype })[],
  valuesOf: (name: string) => Float32Array,
): Omit<SideResult, 'left'> {
  const layout = layoutTensors(shapes, metadata);
  const dtypes = new Map(shapes.map(({ name, dtype }) => [name, dtype]));
  const hash = createHash('sha256');
  const put = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      throw unwritable(path, error);
    }
  };
  let file = -1;
  put(() => {
    file = openSync(path, 'w');
  });
  try {
    put(() => writeAll(file, layout.header, 0));
    for (const { name, begin, end } of layout.tensors.values()) {
      const encoded = new Uint8Array(end - begin);
      encodeFloats(dtypes.get(name) ?? 'F32', valuesOf(name), encoded);
      hash.update(encoded);
      put(() => writeAll(file, encoded, layout.header.length + begin));
    }
    put(() => fsyncSync(file));
  } finally {
    closeSync(file);
  }
  const bytes = layout.header.length + layout.dataBytes;
  return { bytes, header: layout.header, dataSha256: hash.digest('hex') };
}

function writeAll(file: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; )
    done += writeSync(file, bytes, done, bytes.length - done, at + done);
}
