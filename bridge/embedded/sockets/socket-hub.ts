import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { reasonOf } from '../../local/system-error.ts';
import type { EventSink } from '../events.ts';
import { toJsonText } from '../queue/json-text.ts';
import type { ServerLog } from '../server-log.ts';
import { nodePreviewFrame, previewFrame, textFrame } from './preview-frame.ts';
import { createPreviewLanes } from './preview-lane.ts';

/** The sockets of all clients, and what they are told. */
export type SocketHub = EventSink & {
  /** Takes a socket over. @param clientId as the client named itself; it replaces an earlier socket of this name. */
  accept(socket: WebSocket, clientId: string): void;
  /** Tells everybody how many prompts are left. */
  status(): void;
  has(clientId: string): boolean;
  /** Resolves when previews that are being encoded were sent; those that wait are dropped. */
  settlePreviews(): Promise<void>;
  /** How many sockets are open. */
  count(): number;
  close(): void;
};

type HubOptions = {
  readonly queueRemaining: () => number;
  /** Answered to a client that negotiates features. */
  readonly features: Readonly<Record<string, unknown>>;
  readonly log: ServerLog['log'];
  /** Shorter in tests. */
  readonly heartbeatMs?: number;
  /** Smaller in tests. */
  readonly maxBufferedBytes?: number;
};

type Client = {
  readonly socket: WebSocket;
  takesNodePreviews: boolean;
  /** Its first message is not known yet; only that one can negotiate. */
  isNew: boolean;
  /** It sent something that is no JSON. */
  isGarbled: boolean;
  isAlive: boolean;
  /** The newest preview of each node, kept back until the client has read what it was sent. */
  readonly held: Map<string, Buffer>;
};

/** A client that has not answered a ping by the next one is gone. */
const HEARTBEAT_MS = 30_000;
/** A client that leaves this much unread is cut off: it may come back and ask for the history. */
const MAX_BUFFERED_BYTES = 16 * 1024 * 1024;
/** With more than this unread, a client gets only the newest preview of each node. */
const PREVIEW_BACKLOG_BYTES = 1024 * 1024;
/** Nodes that run side by side are few; further ones lose a preview. */
const MAX_HELD_PREVIEWS = 16;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_GRACE_MS = 1_000;

/**
 * Messages about a run go to the socket whose id its prompt named; `status`, and what has no client, to everybody.
 * The order of what one client is sent is the order of the calls, but for previews, which are encoded on the way.
 */
export function createSocketHub(options: HubOptions): SocketHub {
  const { queueRemaining, features, log } = options;
  const { heartbeatMs = HEARTBEAT_MS, maxBufferedBytes = MAX_BUFFERED_BYTES } = options;
  const clients = new Map<string, Client>();
  // Also those whose id another socket took over since: they stay open and hear nothing.
  const open = new Set<Client>();
  let executing: { readonly clientId: string; readonly node: string } | undefined;

  function deliver(client: Client, data: Buffer, binary: boolean): void {
    const { socket } = client;
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount + data.length > maxBufferedBytes && socket.bufferedAmount > 0) {
      log('warn', `a client was cut off: it left ${socket.bufferedAmount} bytes unread`);
      socket.terminate();
      return;
    }
    socket.send(data, { binary }, () => releasePreviews(client));
  }

  /** The buffer is shared by all clients: ws puts headers beside it. */
  function deliverAll(data: Buffer, binary: boolean): void {
    for (const client of clients.values()) deliver(client, data, binary);
  }

  function deliverPreview(client: Client, nodeId: string, frame: Buffer): void {
    if (client.socket.bufferedAmount < PREVIEW_BACKLOG_BYTES) {
      client.held.delete(nodeId);
      deliver(client, frame, true);
    } else if (client.held.has(nodeId) || client.held.size < MAX_HELD_PREVIEWS) {
      client.held.set(nodeId, frame);
    }
  }

  /** Called when something was written: there was a backlog, or nothing would be held. */
  function releasePreviews(client: Client): void {
    for (const [nodeId, frame] of client.held) {
      if (client.socket.bufferedAmount >= PREVIEW_BACKLOG_BYTES) return;
      client.held.delete(nodeId);
      deliver(client, frame, true);
    }
  }

  function targetsOf(clientId: string | undefined): readonly Client[] {
    if (clientId === undefined) return [...clients.values()];
    const client = clients.get(clientId);
    return client ? [client] : [];
  }

  const lanes = createPreviewLanes(
    (jpeg, of, clientId) => {
      const plain = previewFrame(jpeg);
      const named = nodePreviewFrame(jpeg, of);
      for (const client of targetsOf(clientId)) {
        deliverPreview(client, of.node_id, client.takesNodePreviews ? named : plain);
      }
    },
    (error) => log('warn', `a preview could not be encoded: ${reasonOf(error)}`),
  );

  /**
   * Only the first JSON object that a client sends is looked at, and what is no JSON is told of once. ComfyUI 618b803d server.py
   * websocket_handler.
   */
  function hear(client: Client, text: string): void {
    if (!client.isNew) return;
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch (error) {
      if (!client.isGarbled) log('warn', `a client sent no JSON: ${reasonOf(error)}`);
      client.isGarbled = true;
      return;
    }
    if (!isRecord(message)) return;
    client.isNew = false;
    if (message['type'] !== 'feature_flags') return;
    const flags = message['data'];
    client.takesNodePreviews = isRecord(flags) && flags['supports_preview_metadata'] === true;
    deliver(client, toMessage('feature_flags', features), false);
  }

  const statusOf = (): Readonly<Record<string, unknown>> => ({
    exec_info: { queue_remaining: queueRemaining() },
  });

  const heartbeat = setInterval(() => {
    for (const client of open) {
      if (!client.isAlive) {
        client.socket.terminate();
        continue;
      }
      client.isAlive = false;
      client.socket.ping();
    }
  }, heartbeatMs);
  heartbeat.unref();

  return {
    accept(socket, clientId) {
      const id = clientId === '' ? randomUUID().replaceAll('-', '') : clientId;
      const client: Client = {
        socket,
        takesNodePreviews: false,
        isNew: true,
        isGarbled: false,
        isAlive: true,
        held: new Map(),
      };
      open.add(client);
      // Deleted first: a broadcast goes round in the order of connecting.
      clients.delete(id);
      clients.set(id, client);
      socket.on('pong', () => {
        client.isAlive = true;
      });
      socket.on('message', (data, isBinary) => {
        client.isAlive = true;
        if (!isBinary) hear(client, data.toString());
      });
      socket.on('error', (error) => log('debug', `a socket failed: ${error.message}`));
      socket.on('close', () => {
        open.delete(client);
        client.held.clear();
        if (clients.get(id) === client) clients.delete(id);
      });
      deliver(client, toMessage('status', { status: statusOf(), sid: id }), false);
      if (executing?.clientId === id)
        deliver(client, toMessage('executing', { node: executing.node }), false);
    },
    send(event, data, clientId) {
      if (event === 'executing' && clientId !== undefined) {
        const node = data['node'];
        executing = typeof node === 'string' ? { clientId, node } : undefined;
      }
      if (clientId !== undefined && !clients.has(clientId)) return;
      const message = toMessage(event, data);
      for (const client of targetsOf(clientId)) deliver(client, message, false);
    },
    preview(picture, of, clientId) {
      if (clientId === undefined ? clients.size > 0 : clients.has(clientId)) {
        lanes.offer({ picture, of, clientId });
      }
    },
    text(message, nodeId, clientId) {
      const frame = textFrame(message, nodeId);
      for (const client of targetsOf(clientId)) deliver(client, frame, true);
    },
    // Told at most every 50 ms, 100 clients had 350 instead of 174 prompts a second; but a client that counts would miss some.
    status: () => deliverAll(toMessage('status', { status: statusOf() }), false),
    has: (clientId) => clients.has(clientId),
    settlePreviews: () => lanes.settle(),
    count: () => open.size,
    close() {
      clearInterval(heartbeat);
      const left = [...open];
      for (const { socket } of left) socket.close(CLOSE_GOING_AWAY);
      const cut = setTimeout(() => {
        for (const { socket } of left) socket.terminate();
      }, CLOSE_GRACE_MS);
      cut.unref();
    },
  };
}

function toMessage(type: string, data: Readonly<Record<string, unknown>>): Buffer {
  return Buffer.from(toJsonText({ type, data }));
}
