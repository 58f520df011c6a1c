import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { isIP } from 'node:net';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { codeOf, reasonOf } from '../../local/system-error.ts';
import { CONNECTIONS_MAX, SERVER_LIMITS } from '../security/server-limits.ts';

/** Listening sockets, all of one port. */
export type Listening = {
  readonly servers: readonly Server[];
  readonly port: number;
  /** With the first address. */
  readonly url: string;
};

/**
 * Listens on each address; with port 0 the first chooses it.
 * @throws LineageError `serve/port-taken`, `serve/cannot-listen`; then nothing listens
 */
export async function listenOn(
  addresses: readonly string[],
  port: number,
  handle: RequestListener,
): Promise<Listening> {
  const servers: Server[] = [];
  let chosen = port;
  try {
    for (const address of addresses) {
      const server = createServer(SERVER_LIMITS, handle);
      server.maxConnections = CONNECTIONS_MAX;
      server.listen(chosen, address);
      await once(server, 'listening');
      servers.push(server);
      const bound = server.address();
      if (typeof bound === 'object' && bound !== null) chosen = bound.port;
    }
  } catch (error) {
    for (const server of servers) server.close();
    const code = codeOf(error) === 'EADDRINUSE' ? 'serve/port-taken' : 'serve/cannot-listen';
    const message = `expected to listen on port ${port} of ${addresses.join(', ')}, got: ${reasonOf(error)}`;
    throw new LineageError(code, message, { option: '--port' }, { cause: error });
  }
  const [first = '127.0.0.1'] = addresses;
  const host = isIP(first) === 6 ? `[${first}]` : first;
  return { servers, port: chosen, url: `http://${host}:${chosen}` };
}

/** Stops listening, and ends the connections that are left after a moment. */
export async function stopListening({ servers }: Listening, graceMs: number): Promise<void> {
  const cut = setTimeout(() => {
    for (const server of servers) server.closeAllConnections();
  }, graceMs);
  await Promise.all(
    servers.map((server) => {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      return closed;
    }),
  );
  clearTimeout(cut);
}
