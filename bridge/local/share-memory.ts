import { setImmediate as nextTurn } from 'node:timers/promises';
import { isRecord } from '../../nodes/kit/is-record.ts';

/**
 * Bytes copied before the event loop gets its turn. Measured with fresh pages on a small machine: 1 ms for each MiB,
 * so that a turn stays below 10 ms; 4096x4096 RGB in one go took 47 ms.
 */
const SLICE_BYTES = 8 << 20;
/** Below this an array is cloned with the message, which costs less than finding shared memory for it. */
const CLONED_BYTES_MAX = 64 << 10;

/** Large arrays that were moved before, so that a picture that several nodes use is copied once. */
export type SharedCopies = WeakMap<Uint8Array | Float32Array, Uint8Array | Float32Array>;

/**
 * The same value with its large arrays over shared memory, which threads hand on without a copy; those that lie there
 * already are kept as they are. Lists and plain objects are walked, never changed.
 */
export async function shareMemory(value: unknown, copies: SharedCopies): Promise<unknown> {
  if (value instanceof Uint8Array || value instanceof Float32Array) return await shareArray(value, copies);
  if (Array.isArray(value)) return await Promise.all(value.map((each) => shareMemory(each, copies)));
  if (!isRecord(value)) return value;
  const shared: Record<string, unknown> = {};
  for (const [key, each] of Object.entries(value)) shared[key] = await shareMemory(each, copies);
  return shared;
}

async function shareArray(
  array: Uint8Array | Float32Array,
  copies: SharedCopies,
): Promise<Uint8Array | Float32Array> {
  if (array.buffer instanceof SharedArrayBuffer || array.byteLength <= CLONED_BYTES_MAX) return array;
  const known = copies.get(array);
  if (known) return known;
  const memory = new SharedArrayBuffer(array.byteLength);
  const [from, to] = [
    new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    new Uint8Array(memory),
  ];
  for (let at = 0; at < from.length; at += SLICE_BYTES) {
    if (at > 0) await nextTurn();
    to.set(from.subarray(at, at + SLICE_BYTES), at);
  }
  const copy = array instanceof Uint8Array ? to : new Float32Array(memory);
  copies.set(array, copy);
  return copy;
}
