/** Values nest as lists of pictures do; what lies deeper is no pixels of ours. */
const MAX_DEPTH = 6;

/** Bytes of the binary buffers that a value holds, each counted once. */
export function heldBytes(value: unknown): number {
  const seen = new Set<ArrayBufferLike>();
  let bytes = 0;
  const visit = (part: unknown, depth: number): void => {
    if (typeof part !== 'object' || part === null || depth > MAX_DEPTH) return;
    const buffer = ArrayBuffer.isView(part) ? part.buffer : part instanceof ArrayBuffer ? part : undefined;
    if (buffer) {
      if (!seen.has(buffer)) bytes += buffer.byteLength;
      seen.add(buffer);
    } else {
      for (const inner of Array.isArray(part) ? part : Object.values(part)) visit(inner, depth + 1);
    }
  };
  visit(value, 0);
  return bytes;
}
