import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, createServer } from 'node:net';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { createSocketHub } from '../../../../bridge/embedded/sockets/socket-hub.ts';
import { gates } from './gates.ts';
import { type Client, graph, type Message, newFolder, serve } from './harness.ts';

/** Types in order, without the repeated ones of progress. */
const typesOf = (client: Client): string[] =>
  client.messages.map((message) => {
    const { type, data } = message;
    return type === 'status'
      ? `status ${remaining(message)}`
      : type === 'executing'
        ? `executing ${String(data['node'])}`
        : type;
  });

/** How many prompts a status says are left. */
function remaining({ type, data }: Message): number | undefined {
  if (type !== 'status') return undefined;
  return (data['status'] as { exec_info: { queue_remaining: number } }).exec_info.queue_remaining;
}

test('tells a run in the order of ComfyUI', async () => {
  const api = await serve();
  const client = await api.connect('me');
  expect(client.messages[0]).toEqual({
    type: 'status',
    data: { status: { exec_info: { queue_remaining: 0 } }, sid: 'me' },
  });
  const prompt = graph('ServerTestShow', { value: 1 });
  const { prompt_id: id } = await api.queue(prompt, { client_id: 'me' });
  await client.end(id);
  // As ComfyUI 0.8.0 sends it for a prompt with one output.
  expect(typesOf(client)).toEqual([
    'status 0',
    'status 1',
    'status 1',
    'execution_start',
    'execution_cached',
    'progress_state',
    'executing 1',
    'executed',
    'progress_state',
    'execution_success',
    'status 0',
    'executing null',
  ]);
  const end = client.messages.at(-1);
  expect(end).toEqual({ type: 'executing', data: { node: null, prompt_id: id } });
});

test('has the history before it says that a prompt is over', async () => {
  const api = await serve();
  const client = await api.connect('me');
  const { prompt_id: id } = await api.queue(graph('ServerTestShow', { value: 1 }), { client_id: 'me' });
  await client.end(id);
  expect(Object.keys((await api.get(`/history/${id}`)).json as object)).toEqual([id]);
});

test('tells others only how many prompts are left', async () => {
  const api = await serve();
  const [mine, other] = [await api.connect('me'), await api.connect()];
  expect(other.messages[0]?.data['sid']).toMatch(/^[0-9a-f]{32}$/);
  const { prompt_id: id } = await api.queue(graph('ServerTestShow', { value: 1 }), { client_id: 'me' });
  await mine.end(id);
  await other.until(({ type }) => type === 'status');
  expect(new Set(other.messages.map(({ type }) => type))).toEqual(new Set(['status']));
});

test('sends a prompt without a client to everybody, as far as it is told', async () => {
  const api = await serve();
  const other = await api.connect('other');
  const { prompt_id: id } = await api.queue(graph('ServerTestShow', { value: 1 }));
  await other.until(({ type }) => type === 'progress_state');
  await other.until((message) => remaining(message) === 0);
  expect(new Set(other.messages.map(({ type }) => type))).toEqual(new Set(['status', 'progress_state']));
  expect(Object.keys((await api.get(`/history/${id}`)).json as object)).toEqual([id]);
});

test('tells a client that comes back where its prompt is', async () => {
  const api = await serve();
  const gate = join(newFolder(), 'gate');
  const first = await api.connect('me');
  const { prompt_id: id } = await api.queue(graph('ServerTestWait', { gate }), { client_id: 'me' });
  await first.until(({ type }) => type === 'executing');
  const again = await api.connect('me');
  expect((await again.until(({ type }) => type === 'executing')).data).toEqual({ node: '1' });
  gates.open(gate);
  await again.end(id);
  expect(first.messages.some(({ type }) => type === 'execution_success')).toBe(false);
  // The older socket of the name closes, and takes nothing of the newer with it.
  first.socket.close();
  await once(first.socket, 'close');
  const next = await api.queue(graph('ServerTestShow', { value: 9 }), { client_id: 'me' });
  await again.end(next['prompt_id']);
  const late = await api.connect('me');
  expect(late.messages.map(({ type }) => type)).toEqual(['status']);
});

test('negotiates features by the first JSON object alone', async () => {
  const api = await serve();
  const client = await api.connect('me');
  for (let i = 0; i < 100; i++) client.socket.send('no json');
  client.socket.send('[]');
  client.socket.send(JSON.stringify({ type: 'feature_flags', data: { supports_preview_metadata: true } }));
  const { data } = await client.until(({ type }) => type === 'feature_flags');
  expect(data).toEqual((await api.get('/features')).json);
  // A client cannot fill the log.
  const { text: log } = await api.get('/internal/logs/raw');
  expect(log.match(/a client sent no JSON/g)).toHaveLength(1);
  client.socket.send(JSON.stringify({ type: 'feature_flags', data: {} }));
  const { prompt_id: id } = await api.queue(graph('ServerTestPreview', { steps: 1 }), { client_id: 'me' });
  await client.end(id);
  expect(client.messages.filter(({ type }) => type === 'feature_flags')).toHaveLength(1);
  expect(client.frames[0]?.readUInt32BE(0)).toBe(4);
});

test('sends previews as frames 1 and 4, ten a second at most', async () => {
  const api = await serve();
  const [old, modern] = [await api.connect('old'), await api.connect('modern')];
  modern.socket.send(JSON.stringify({ type: 'feature_flags', data: { supports_preview_metadata: true } }));
  await modern.until(({ type }) => type === 'feature_flags');
  for (const client_id of ['old', 'modern']) {
    const client = client_id === 'old' ? old : modern;
    const began = performance.now();
    const { prompt_id: id } = await api.queue(graph('ServerTestPreview', { steps: 200 }), { client_id });
    await client.end(id);
    expect(client.frames.length).toBeGreaterThan(0);
    expect(client.frames.length).toBeLessThan(2 + (performance.now() - began) / 100);
  }
  const [plain, named] = [old.frames[0]!, modern.frames[0]!];
  expect([plain.readUInt32BE(0), plain.readUInt32BE(4)]).toEqual([1, 1]);
  const length = named.readUInt32BE(4);
  expect(named.readUInt32BE(0)).toBe(4);
  expect(JSON.parse(named.subarray(8, 8 + length).toString())).toMatchObject({
    node_id: '1',
    display_node_id: '1',
    parent_node_id: null,
    real_node_id: '1',
    image_type: 'image/jpeg',
    prompt_id: expect.any(String),
  });
  for (const jpeg of [plain.subarray(8), named.subarray(8 + length)]) {
    const { data, info } = await sharp(jpeg).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ format: 'raw', width: 512, height: 384, channels: 3 });
    expect(Math.abs(data[0]! - 127)).toBeLessThan(3);
  }
});

/** A hub of its own behind a socket server, for what no node can ask for. */
async function hubOf(limits: { heartbeatMs?: number; maxBufferedBytes?: number }) {
  const logged: string[] = [];
  const hub = createSocketHub({
    queueRemaining: () => 3,
    features: {},
    log: (_level, message) => logged.push(message),
    ...limits,
  });
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(sockets, 'listening');
  sockets.on('connection', (socket, request) => hub.accept(socket, request.url?.slice(1) ?? ''));
  onTestFinished(() => {
    hub.close();
    for (const client of sockets.clients) client.terminate();
    sockets.close();
  });
  const address = sockets.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return { hub, sockets, logged, port: address.port };
}

/** A client that says hello and then reads nothing more. */
async function sluggish(port: number, id: string) {
  const socket = connectTcp(port, '127.0.0.1');
  onTestFinished(() => void socket.destroy());
  const key = randomBytes(16).toString('base64');
  socket.write(
    `GET /${id} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  await once(socket, 'readable');
  return socket;
}

test('puts text under a node by frame 3', async () => {
  const { hub, port } = await hubOf({});
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(`ws://127.0.0.1:${port}/me`);
  await once(socket, 'message');
  hub.text('half way', '37:8', 'me');
  const [frame] = (await once(socket, 'message')) as [Buffer];
  expect(frame.readUInt32BE(0)).toBe(3);
  expect(frame.readUInt32BE(4)).toBe(4);
  expect(frame.subarray(8).toString()).toBe('37:8half way');
  socket.close();
});

test('cuts a client off that leaves too much unread', async () => {
  const { hub, sockets, logged, port } = await hubOf({ maxBufferedBytes: 1_000_000 });
  await sluggish(port, 'slow');
  const [served] = sockets.clients;
  const closed = once(served!, 'close');
  const text = 'x'.repeat(100_000);
  let most = 0;
  for (let i = 0; i < 500 && hub.has('slow'); i++) {
    hub.send('custom', { text }, 'slow');
    most = Math.max(most, served!.bufferedAmount);
  }
  await closed;
  expect(most).toBeLessThan(1_100_000);
  expect(hub.has('slow')).toBe(false);
  expect(logged.join()).toMatch('cut off');
});

test('gives a slow client only the newest preview of a node', async () => {
  const { hub, sockets, port } = await hubOf({ maxBufferedBytes: 50_000_000 });
  await sluggish(port, 'slow');
  const [served] = sockets.clients;
  while (served!.bufferedAmount < 2_000_000) hub.send('custom', { text: 'x'.repeat(1_000_000) }, 'slow');
  const before = served!.bufferedAmount;
  const of = { node_id: '1', prompt_id: 'p', display_node_id: '1', parent_node_id: null, real_node_id: '1' };
  const picture = { width: 64, height: 64, channels: 3, data: new Uint8Array(64 * 64 * 3) } as const;
  for (let i = 0; i < 5; i++) {
    hub.preview(picture, of, 'slow');
    await hub.settlePreviews();
  }
  expect(served!.bufferedAmount).toBe(before);
});

test('lets go of a client that does not answer', async () => {
  const { hub, port } = await hubOf({ heartbeatMs: 50 });
  const socket = await sluggish(port, 'dead');
  socket.pause();
  expect(hub.count()).toBe(1);
  while (hub.count() > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(hub.has('dead')).toBe(false);
});

test('tells clients of every prompt that came, began and ended', async () => {
  const api = await serve();
  const client = await api.connect('one');
  for (let value = 0; value < 5; value++) {
    const { prompt_id: id } = await api.queue(graph('ServerTestShow', { value }), { client_id: 'one' });
    await client.end(String(id));
  }
  expect(client.messages.filter(({ type }) => type === 'status').map(remaining)).toEqual([
    0,
    ...Array.from({ length: 5 }, () => [1, 1, 0]).flat(),
  ]);
});

test('loses no message of 100 clients with 1,000 prompts', async () => {
  const api = await serve();
  const clients = await Promise.all(Array.from({ length: 100 }, (_, i) => api.connect(`client ${i}`)));
  const ids = new Map<string, string[]>();
  await Promise.all(
    clients.map(async (_, i) => {
      const client_id = `client ${i}`;
      for (let k = 0; k < 10; k++) {
        const value = i * 1_000 + k;
        const { prompt_id: id } = await api.queue(graph('ServerTestShow', { value }), { client_id });
        ids.set(client_id, [...(ids.get(client_id) ?? []), String(id)]);
      }
    }),
  );
  for (const [i, client] of clients.entries()) {
    const mine = ids.get(`client ${i}`)!;
    for (const id of mine) await client.end(id);
    for (const type of ['execution_start', 'execution_cached', 'executed', 'execution_success']) {
      const of = client.messages
        .filter((message) => message.type === type)
        .map(({ data }) => data['prompt_id']);
      expect(of).toEqual(mine);
    }
  }
  // The first greeting, then one for each prompt that came, began and ended.
  await clients[0]!.until((message) => remaining(message) === 0);
  const statuses = clients[0]!.messages.filter(({ type }) => type === 'status');
  expect(statuses.length).toBe(1 + 3 * 1_000);
});

test('refuses sockets elsewhere, and ids without end', async () => {
  const api = await serve();
  await expect(api.connect('x'.repeat(300))).rejects.toThrow('400');
  const other = createServer();
  other.close();
  const { WebSocket } = await import('ws');
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/elsewhere`);
  const [error] = (await once(socket, 'error')) as [Error];
  expect(error.message).toMatch('404');
  const api2 = new WebSocket(`${api.url.replace('http', 'ws')}/api/ws`);
  await once(api2, 'open');
  api2.close();
});

test('shows the log, and sends it to who asks', async () => {
  const api = await serve();
  const client = await api.connect('me');
  const subscribe = (enabled: unknown) =>
    fetch(`${api.url}/internal/logs/subscribe`, {
      method: 'PATCH',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ clientId: 'me', enabled }),
    });
  expect((await subscribe(true)).status).toBe(200);
  await api.queue(graph('ServerTestShow', { value: 1 }));
  const { data } = await client.until(({ type }) => type === 'logs');
  expect((data['entries'] as unknown[])[0]).toEqual({ t: expect.any(String), m: 'got prompt\n' });
  expect((await api.get('/internal/logs')).json).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+ - got prompt\n/);
  expect((await api.get('/internal/logs/raw')).json).toMatchObject({
    entries: [{ m: 'got prompt\n' }, {}],
    size: { cols: 80, rows: 24 },
  });
  expect((await subscribe(undefined)).status).toBe(500);
});
