import { LineageError } from '../kit/errors.ts';
import { decodeFloats } from './floats.ts';

/** How a tensor of a GGUF file stores its elements: in blocks of fixed size along a row. */
export type GgmlType = {
  readonly name: string;
  readonly blockElements: number;
  readonly blockBytes: number;
};

/** Id, name, elements and bytes of a block. Ids that are missing were given up. @see ggml.h, enum ggml_type */
const ROWS: readonly (readonly [id: number, name: string, blockElements: number, blockBytes: number])[] = [
  [0, 'F32', 1, 4],
  [1, 'F16', 1, 2],
  [2, 'Q4_0', 32, 18],
  [3, 'Q4_1', 32, 20],
  [6, 'Q5_0', 32, 22],
  [7, 'Q5_1', 32, 24],
  [8, 'Q8_0', 32, 34],
  [9, 'Q8_1', 32, 40],
  [10, 'Q2_K', 256, 84],
  [11, 'Q3_K', 256, 110],
  [12, 'Q4_K', 256, 144],
  [13, 'Q5_K', 256, 176],
  [14, 'Q6_K', 256, 210],
  [15, 'Q8_K', 256, 292],
  [16, 'IQ2_XXS', 256, 66],
  [17, 'IQ2_XS', 256, 74],
  [18, 'IQ3_XXS', 256, 98],
  [19, 'IQ1_S', 256, 50],
  [20, 'IQ4_NL', 32, 18],
  [21, 'IQ3_S', 256, 110],
  [22, 'IQ2_S', 256, 82],
  [23, 'IQ4_XS', 256, 136],
  [24, 'I8', 1, 1],
  [25, 'I16', 1, 2],
  [26, 'I32', 1, 4],
  [27, 'I64', 1, 8],
  [28, 'F64', 1, 8],
  [29, 'IQ1_M', 256, 56],
  [30, 'BF16', 1, 2],
  [34, 'TQ1_0', 256, 54],
  [35, 'TQ2_0', 256, 66],
  [39, 'MXFP4', 32, 17],
  [40, 'NVFP4', 64, 36],
];

const TYPES: ReadonlyMap<number, GgmlType> = new Map(
  ROWS.map(([id, name, blockElements, blockBytes]) => [id, { name, blockElements, blockBytes }]),
);

/** The type of an id; undefined for one of later than this table. */
export function ggmlTypeOf(id: number): GgmlType | undefined {
  return TYPES.get(id);
}

/** Bytes of the scale, F16, before the 32 signed bytes of a Q8_0 block. */
const SCALE_BYTES = 2;

/**
 * Decodes a run of whole blocks to float32.
 *
 * @param bytes at any byte offset; not modified.
 * @param out as many elements as the blocks hold; overwritten.
 * @throws LineageError `gguf/type`, which names the type, for all but F32, F16, BF16 and Q8_0
 * @throws RangeError if the lengths do not fit
 */
export function dequantise(
  { name, blockElements, blockBytes }: GgmlType,
  bytes: Uint8Array,
  out: Float32Array,
): void {
  if (name === 'F32' || name === 'F16' || name === 'BF16') decodeFloats(name, bytes, out);
  else if (name === 'Q8_0') {
    const blocks = out.length / blockElements;
    if (!Number.isInteger(blocks) || bytes.length !== blocks * blockBytes)
      throw new RangeError(`expected ${blocks} blocks of ${blockBytes} bytes, got ${bytes.length} bytes`);
    dequantiseQ8(bytes, blocks, blockElements, out);
  } else throw new LineageError('gguf/type', `expected Q8_0, F16, BF16 or F32, got ${name}`);
}

/** value = scale * byte, in single precision. */
function dequantiseQ8(bytes: Uint8Array, blocks: number, elements: number, out: Float32Array): void {
  const scale = new Float32Array(1);
  const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let block = 0; block < blocks; block++) {
    const at = block * (elements + SCALE_BYTES);
    decodeFloats('F16', bytes.subarray(at, at + SCALE_BYTES), scale);
    const factor = scale[0] ?? 0;
    for (let i = 0; i < elements; i++)
      out[block * elements + i] = factor * (signed[at + SCALE_BYTES + i] ?? 0);
  }
}
