import type { IncomingMessage } from 'node:http';

/** So much of a refused body is read and forgotten; whoever sends more may lose the answer. */
const DRAINED_BYTES_MAX = 256 * 1024 * 1024;

/**
 * Reads what a client still sends before it is refused. Closed while bytes arrive, a connection is reset, and the client
 * sees that instead of the answer. How long this takes is bounded by the server's `requestTimeout`.
 */
export async function drain(request: IncomingMessage): Promise<void> {
  let bytes = 0;
  try {
    for await (const part of request.iterator({ destroyOnReturn: false })) {
      bytes += part instanceof Uint8Array ? part.length : 0;
      if (bytes > DRAINED_BYTES_MAX) return;
    }
  } catch {
    // The client went away: nobody waits for the answer.
  }
}
