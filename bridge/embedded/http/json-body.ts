import type { IncomingMessage } from 'node:http';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { ExactNumber, type Json, parseExactJson } from '../../../nodes/kit/exact-json.ts';
import { JSON_BYTES_MAX, JSON_DEPTH_MAX } from '../security/server-limits.ts';

/**
 * Reads a request's body as JSON, whatever type it says it has. Numbers keep their spelling; a key `__proto__` is
 * refused wherever it stands: no client means it, and what copies such objects carelessly would be poisoned.
 *
 * @throws LineageError `request/too-large`, `request/malformed`; `graph/malformed` and `graph/too-deep` for what is no
 *   JSON; Error for a client that went away
 */
export async function readJsonBody(request: IncomingMessage): Promise<Json> {
  const parts: Uint8Array[] = [];
  for await (const part of limitBytes(request, JSON_BYTES_MAX)) parts.push(part);
  const value = parseExactJson(Buffer.concat(parts).toString('utf8'), () => {
    throw new LineageError('request/malformed', 'expected JSON, got NaN or Infinity in it');
  });
  checkShape(value);
  return value;
}

/**
 * Passes a body on up to a size.
 * @throws LineageError `request/too-large`, before anything is read where the client says the size
 */
export async function* limitBytes(
  request: IncomingMessage,
  bytesMax: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const tooLarge = (got: number): LineageError =>
    new LineageError('request/too-large', `expected at most ${bytesMax} bytes, got ${got} or more`);
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > bytesMax) throw tooLarge(announced);
  let bytes = 0;
  // Left open when the reader stops early, so that the answer still reaches the client.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    if (!(part instanceof Uint8Array))
      throw new LineageError('request/malformed', 'expected a body of bytes');
    bytes += part.length;
    if (bytes > bytesMax) throw tooLarge(bytes);
    yield part;
  }
}

/** @throws LineageError `request/malformed` for a key `__proto__` and for more than JSON_DEPTH_MAX levels */
export function checkShape(value: Json): void {
  const stack: { value: Json; depth: number }[] = [{ value, depth: 0 }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { value: current, depth } = next;
    if (typeof current !== 'object' || current === null || current instanceof ExactNumber) continue;
    if (depth >= JSON_DEPTH_MAX)
      throw new LineageError('request/malformed', `expected at most ${JSON_DEPTH_MAX} levels, got more`);
    if (Object.hasOwn(current, '__proto__'))
      throw new LineageError('request/malformed', 'expected ordinary keys, got __proto__');
    for (const child of Object.values(current)) stack.push({ value: child, depth: depth + 1 });
  }
}
