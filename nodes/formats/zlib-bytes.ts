import { inflateSync } from 'node:zlib';

/**
 * How many bytes a zlib stream takes of those it starts.
 *
 * @param maxInflated larger streams are not looked through
 * @returns undefined for what is no whole stream, or too large a one
 */
export function zlibBytes(bytes: Uint8Array, maxInflated: number): number | undefined {
  try {
    const told: object = inflateSync(bytes, { maxOutputLength: maxInflated, info: true });
    const engine: unknown = 'engine' in told ? told.engine : undefined;
    const isEngine = typeof engine === 'object' && engine !== null && 'bytesWritten' in engine;
    return isEngine && typeof engine.bytesWritten === 'number' ? engine.bytesWritten : undefined;
  } catch {
    // Damaged, cut off or too large: nobody can tell where it ends.
    return undefined;
  }
}
