import { createHash, timingSafeEqual } from 'node:crypto';
import { chmodSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type RawData, type WebSocket, WebSocketServer } from 'ws';
import { MAX_MESSAGE_BYTES } from './messages.ts';

/** Where Python reaches us: a socket in a folder that is its user's alone, or (Windows) a port of this machine. */
export type Address = { readonly path: string } | { readonly loopback: true };

/** One connected Python. */
export type Peer = {
  send(text: string): void;
  /** Ends the connection; the reason is at most 123 bytes. */
  close(reason: string): void;
};

export type PeerHandlers = {
  onText(text: string): void;
  /** Once, also after `close`. */
  onEnd(): void;
};

export type Link = {
  /** The port, where the address is `loopback`. */
  readonly port: number | undefined;
};

/** Whoever connects and then says nothing is cut off. */
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * Waits for the one client that knows the token. A second one is refused as long as the first is there, and so is
 * whatever a browser sends (it always names an origin, or another host).
 *
 * @param token 64 hex digits; compared in constant time, kept nowhere else.
 * @param onPeer called for each client let in.
 */
export function listen(address: Address, token: string, onPeer: (peer: Peer) => PeerHandlers): Promise<Link> {
  const { promise, resolve, reject } = Promise.withResolvers<Link>();
  const wanted = digest(`Bearer ${token}`);
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    // Between two processes of one machine, compression only costs time.
    perMessageDeflate: false,
  });
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS });
  let current: WebSocket | undefined;

  server.on('request', (_request, response) => response.writeHead(404).end());
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    const refusal = refuse(request);
    if (refusal !== undefined) return turnAway(socket, refusal);
    sockets.handleUpgrade(request, socket, head, (client) => {
      current = client;
      welcome(client);
    });
  });
  server.once('error', reject);

  function refuse(request: IncomingMessage): string | undefined {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), wanted)) return '401 Unauthorized';
    if (request.headers.origin !== undefined || request.headers['sec-fetch-site'] !== undefined)
      return '403 Forbidden';
    const bound = server.address();
    if (bound !== null && typeof bound === 'object' && request.headers.host !== `127.0.0.1:${bound.port}`)
      return '403 Forbidden';
    if (request.url !== '/') return '404 Not Found';
    return current ? '409 Conflict' : undefined;
  }

  function welcome(client: WebSocket): void {
    const handlers = onPeer({
      send: (text) => client.send(text),
      close: (reason) => client.close(1002, reason),
    });
    client.on('message', (data, isBinary) => {
      if (isBinary) client.close(1003, 'expected texts');
      else handlers.onText(textOf(data));
    });
    // What is wrong with a frame (too long, not UTF-8) is told to the peer by ws, which then closes.
    client.on('error', () => {});
    client.on('close', () => {
      current = undefined;
      handlers.onEnd();
    });
  }

  server.on('listening', () => {
    const bound = server.address();
    if ('path' in address) chmodSync(address.path, 0o600);
    resolve({
      port: bound !== null && typeof bound === 'object' ? bound.port : undefined,
    });
  });
  if ('path' in address) server.listen(address.path);
  else server.listen(0, '127.0.0.1');
  return promise;
}

/** Digests are of one length, as the comparison wants; they also hide how long the token is. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function turnAway(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

function textOf(data: RawData): string {
  if (Array.isArray(data)) return Buffer.concat(data).toString('utf8');
  return Buffer.isBuffer(data) ? data.toString('utf8') : Buffer.from(data).toString('utf8');
}
