import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * Writes a safetensors file by the format's description: 8 bytes of length, the JSON header, the data.
 * @param tensors values of one-dimensional F32 tensors by name.
 */
export function writeTinyCheckpoint(
  file: string,
  tensors: Readonly<Record<string, readonly number[]>>,
): void {
  let end = 0;
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, values]) => {
      const begin = end;
      end += values.length * 4;
      return [name, { dtype: 'F32', shape: [values.length], data_offsets: [begin, end] }];
    }),
  );
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  const data = Buffer.concat(
    Object.values(tensors).map((values) => Buffer.from(Float32Array.from(values).buffer)),
  );
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Buffer.concat([length, json, data]));
}

/** The header and, by name, the F32 values of a safetensors file. */
export function readTinyCheckpoint(bytes: Buffer): {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: Readonly<Record<string, readonly number[]>>;
} {
  const start = 8 + Number(bytes.readBigUInt64LE(0));
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(bytes.subarray(8, start).toString('utf8'));
  const tensors: Record<string, readonly number[]> = {};
  for (const [name, entry] of Object.entries(entries as Record<string, { data_offsets: [number, number] }>)) {
    const [begin, end] = entry.data_offsets;
    tensors[name] = Array.from({ length: (end - begin) / 4 }, (_, index) =>
      bytes.readFloatLE(start + begin + index * 4),
    );
  }
  return { metadata, tensors };
}
