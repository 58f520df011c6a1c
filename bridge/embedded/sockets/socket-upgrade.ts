import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import { checkUpgrade, type SecurityOptions } from '../security/security.ts';
import { chooseProtocol } from '../security/token.ts';
import type { SocketHub } from './socket-hub.ts';

/** Clients send little beside their features; the front end's are a kilobyte. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Half of all connections, so that open sockets never lock requests out. */
const MAX_SOCKETS = 256;
/** Ids come from random numbers or the names of programs. */
const MAX_CLIENT_ID_CHARACTERS = 256;

/** Makes the handler of a server's `upgrade`: `/ws` and `/api/ws` become sockets of the hub, all else is refused. */
export function createUpgrades(
  hub: SocketHub,
  security: SecurityOptions,
): (request: IncomingMessage, socket: Duplex, head: Buffer) => void {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: chooseProtocol,
  });
  return (request, socket, head) => {
    // Before the handshake is done, nobody else hears that the client went away.
    socket.on('error', () => socket.destroy());
    const refused = checkUpgrade(request, security);
    if (!refused.ok) return refuse(socket, refused.status, refused.reason);
    const target = URL.parse(request.url ?? '', 'http://host');
    if (target?.pathname !== '/ws' && target?.pathname !== '/api/ws')
      return refuse(socket, 404, 'no socket here');
    const clientId = target.searchParams.get('clientId') ?? '';
    if (clientId.length > MAX_CLIENT_ID_CHARACTERS) return refuse(socket, 400, 'the clientId is too long');
    if (hub.count() >= MAX_SOCKETS) return refuse(socket, 503, 'too many sockets');
    sockets.handleUpgrade(request, socket, head, (client) => hub.accept(client, clientId));
  };
}

function refuse(socket: Duplex, status: number, reason: string): void {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Connection: close',
    'Content-Type: text/plain',
    `Content-Length: ${Buffer.byteLength(reason)}`,
  ];
  socket.end(`${lines.join('\r\n')}\r\n\r\n${reason}`);
}
