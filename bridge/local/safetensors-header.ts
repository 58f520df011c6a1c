import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { type Json, parseExactJson } from '../../nodes/kit/exact-json.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import { readHead } from './read-file.ts';

/** Bytes of the header's length at the start of a file: u64, little-endian. */
const LENGTH_BYTES = 8;

/**
 * The `__metadata__` of a safetensors file: texts by key, as whoever trained the model wrote them. No tensor is read.
 *
 * @param path a path that was held to its folder.
 * @param headerBytesMax a longer header is not read; a file may claim any length.
 * @returns undefined where there is none, and for what is no safetensors file.
 * @throws LineageError `file/missing`, `file/unreadable`
 * @see https://github.com/huggingface/safetensors#format
 */
export async function readSafetensorsMetadata(
  path: string,
  headerBytesMax: number,
): Promise<Readonly<Record<string, Json>> | undefined> {
  const start = await readHead(path, LENGTH_BYTES);
  if (start.length < LENGTH_BYTES) return undefined;
  const length = new DataView(start.buffer, start.byteOffset, start.length).getBigUint64(0, true);
  if (length > BigInt(headerBytesMax)) return undefined;
  const head = await readHead(path, LENGTH_BYTES + Number(length));
  if (head.length < LENGTH_BYTES + Number(length)) return undefined;
  const header = parseHeader(new TextDecoder().decode(head.subarray(LENGTH_BYTES)));
  const metadata =
    isRecord(header) && Object.hasOwn(header, '__metadata__') ? header['__metadata__'] : undefined;
  return isRecord(metadata) ? metadata : undefined;
}

/** Any file may be called safetensors; what is no JSON is simply no header, and NaN is none of the format's. */
function parseHeader(text: string): Json | undefined {
  try {
    return parseExactJson(text, () => {
      throw new LineageError('graph/malformed', 'expected numbers, got NaN or Infinity');
    });
  } catch (error) {
    if (isLineageError(error)) return undefined;
    throw error;
  }
}
