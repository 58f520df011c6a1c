import { inflateSync } from 'node:zlib';

/** A zlib stream opened. */
export type OpenZlib = {
  readonly inflated: Uint8Array;
  /** How many bytes the stream takes of those it starts. */
  readonly used: number;
};

/**
 * Inflates the zlib stream that some bytes start with, whatever follows it.
 *
 * @param maxInflated larger streams are not looked through
 * @returns undefined for what is no whole stream, or too large a one
 */
export function openZlib(bytes: Uint8Array, maxInflated: number): OpenZlib | undefined {
  try {
    const told: object = inflateSync(bytes, { maxOutputLength: maxInflated, info: true });
    const engine: unknown = 'engine' in told ? told.engine : undefined;
    const inflated: unknown = 'buffer' in told ? told.buffer : undefined;
    const isEngine = typeof engine === 'object' && engine !== null && 'bytesWritten' in engine;
    const used = isEngine ? engine.bytesWritten : undefined;
    return inflated instanceof Uint8Array && typeof used === 'number' ? { inflated, used } : undefined;
  } catch {
    // Damaged, cut off or too large: nobody can tell where it ends.
    return undefined;
  }
}
