import type { Pixels } from '../kit/values.ts';

/** What a byte means, in single precision as torch holds it: byte / 255. */
const BYTE_AS_FLOAT = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** The samples as floats of 0 to 1: the picture's own where it holds floats, else a new array. Not to be written to. */
export function floatsOf({ data }: Pixels): Float32Array {
  if (data instanceof Float32Array) return data;
  const floats = new Float32Array(data.length);
  for (let i = 0; i < data.length; i++) floats[i] = BYTE_AS_FLOAT[data[i] ?? 0] ?? 0;
  return floats;
}
