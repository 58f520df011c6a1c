/// <reference lib="esnext.float16" />
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

/** What is read at a time: files may be larger than memory. */
const CHUNK = 2 ** 22;

type Entry = {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
};
type Opened = {
  readonly file: number;
  readonly dataStart: number;
  readonly tensors: Readonly<Record<string, Entry>>;
};

/** Opens a safetensors file by the letter of its format, and not by our reader. */
function withFile<T>(path: string, look: (opened: Opened) => T): T {
  const file = openSync(path, 'r');
  try {
    const length = Number(readAt(file, 0, 8).readBigUInt64LE());
    const { __metadata__: _, ...tensors }: Record<string, Entry> = JSON.parse(
      readAt(file, 8, length).toString('utf8'),
    );
    return look({ file, dataStart: 8 + length, tensors });
  } finally {
    closeSync(file);
  }
}

function readAt(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const read = readSync(file, bytes, done, length - done, at + done);
    if (read === 0) throw new Error(`expected ${length} bytes at ${at}, got ${done}`);
    done += read;
  }
  return bytes;
}

/** SHA-256 of the data section, and of each tensor by name. */
export type DataHashes = { readonly data: string; readonly tensors: Readonly<Record<string, string>> };

/** The data section is hashed as the tensors that it must consist of, without a gap. */
export function hashData(path: string): DataHashes {
  return withFile(path, ({ file, dataStart, tensors }) => {
    const whole = createHash('sha256');
    let end = 0;
    const inOrder = Object.entries(tensors).sort(([, a], [, b]) => a.data_offsets[1] - b.data_offsets[1]);
    const hashes = inOrder.map(([name, { data_offsets }]): [string, string] => {
      if (data_offsets[0] !== end) throw new Error(`${name}: expected to begin at ${end}`);
      const own = createHash('sha256');
      for (end = data_offsets[0]; end < data_offsets[1]; ) {
        const bytes = readAt(file, dataStart + end, Math.min(CHUNK, data_offsets[1] - end));
        own.update(bytes);
        whole.update(bytes);
        end += bytes.length;
      }
      return [name, own.digest('hex')];
    });
    return { data: whole.digest('hex'), tensors: Object.fromEntries(hashes) };
  });
}

/** Names whose tensors are not the same bytes in both, or that one of the two lacks. */
export function listDifferent(a: DataHashes, b: DataHashes): string[] {
  const names = new Set([...Object.keys(a.tensors), ...Object.keys(b.tensors)]);
  return [...names].filter((name) => a.tensors[name] !== b.tensors[name]);
}

/**
 * How far two files are apart at most, in steps from one float32 to the next. All floats of both must be float32, and
 * finite; +0 and -0 are the same number.
 */
export function largestUlps(a: string, b: string): { readonly ulps: number; readonly name: string } {
  return withFile(a, (first) =>
    withFile(b, (second) => {
      let most = { ulps: 0, name: '' };
      for (const [name, { dtype, shape, data_offsets }] of Object.entries(first.tensors)) {
        const other = second.tensors[name];
        if (other?.dtype !== dtype || String(other.shape) !== String(shape))
          throw new Error(`${name} differs`);
        if (dtype !== 'F32') continue;
        const bytes = data_offsets[1] - data_offsets[0];
        for (let at = 0; at < bytes; at += CHUNK) {
          const length = Math.min(CHUNK, bytes - at);
          const ulps = ulpsBetween(
            readAt(first.file, first.dataStart + data_offsets[0] + at, length),
            readAt(second.file, second.dataStart + other.data_offsets[0] + at, length),
          );
          if (ulps > most.ulps) most = { ulps, name };
        }
      }
      return most;
    }),
  );
}

function ulpsBetween(a: Buffer, b: Buffer): number {
  if (a.equals(b)) return 0;
  const [ours, theirs] = [a, b].map(
    ({ buffer, byteOffset, length }) => new Int32Array(buffer, byteOffset, length / 4),
  );
  let most = 0;
  for (let i = 0; i < a.length / 4; i++) {
    const [one, other] = [ours?.[i] ?? 0, theirs?.[i] ?? 0];
    if (one !== other) most = Math.max(most, Math.abs(placeOf(one) - placeOf(other)));
  }
  return most;
}

/** The place of a float32 among all of them, in order, zero being 0. */
function placeOf(bits: number): number {
  const size = bits & 0x7fffffff;
  if (size >= 0x7f800000) throw new Error('expected finite numbers');
  return bits < 0 ? -size : size;
}

/** Rounds a file of float32 as a store in F16 does, and hashes each tensor. */
export function hashAsHalf(path: string): Readonly<Record<string, string>> {
  return withFile(path, ({ file, dataStart, tensors }) =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, { dtype, data_offsets }]) => {
        const bytes = readAt(file, dataStart + data_offsets[0], data_offsets[1] - data_offsets[0]);
        const stored = dtype === 'F32' ? new Uint8Array(toHalf(bytes).buffer) : bytes;
        return [name, createHash('sha256').update(stored).digest('hex')];
      }),
    ),
  );
}

/** By the engine of JavaScript itself. */
function toHalf(bytes: Buffer): Float16Array {
  return new Float16Array(new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4));
}
