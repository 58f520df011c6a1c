import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { ServeOptions } from '../../../../bridge/embedded/serve-options.ts';
import { type Runtime, startRuntime } from '../../../../bridge/embedded/start-runtime.ts';

export const TEST_NODES = fileURLToPath(new URL('./nodes', import.meta.url));

/** A folder that goes with the test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'lineage-server-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** What a client has to do with a server. */
export type Api = {
  readonly url: string;
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown): Promise<Answer>;
  /** Queues a graph. */
  queue(prompt: unknown, more?: Readonly<Record<string, unknown>>): Promise<Record<string, unknown>>;
  /** A socket, open. */
  connect(clientId?: string): Promise<Client>;
};

/** An answer, read. */
type Answer = {
  readonly status: number;
  readonly text: string;
  readonly json: unknown;
  readonly headers: Headers;
};

/** A JSON message. */
export type Message = { readonly type: string; readonly data: Record<string, unknown> };

/** A socket, and all it was sent. */
export type Client = {
  readonly socket: WebSocket;
  readonly messages: readonly Message[];
  readonly frames: readonly Buffer[];
  /** The first message that fits, whether it came already or comes later. */
  until(fits: (message: Message) => boolean): Promise<Message>;
  /** Until a prompt is over. */
  end(promptId: unknown): Promise<Message>;
};

/** A server in this process, on a port of its own, with the nodes of these tests. */
export async function serve(
  options: Partial<ServeOptions> = {},
): Promise<Api & { readonly runtime: Runtime }> {
  const runtime = await startRuntime({
    base: options.base ?? newFolder(),
    port: 0,
    store: ':memory:',
    nodes: [TEST_NODES],
    ...options,
  });
  onTestFinished(() => runtime.close());
  return { runtime, ...apiOf(runtime.url) };
}

/** Talks to a server, wherever it runs. */
export function apiOf(url: string): Api {
  const ask = async (path: string, init?: RequestInit): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, init);
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: response.status,
      text,
      json: isJson ? JSON.parse(text) : undefined,
      headers: response.headers,
    };
  };
  const post = (path: string, body?: unknown): Promise<Answer> =>
    ask(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  return {
    url,
    get: (path) => ask(path),
    post,
    async queue(prompt, more = {}) {
      const { status, text, json } = await post('/prompt', { prompt, ...more });
      if (status !== 200) throw new Error(`refused: ${status} ${text}`);
      return json as Record<string, unknown>;
    },
    connect: (clientId) => connect(url, clientId),
  };
}

async function connect(url: string, clientId?: string): Promise<Client> {
  const query = clientId === undefined ? '' : `?clientId=${encodeURIComponent(clientId)}`;
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws${query}`);
  const [messages, frames]: [Message[], Buffer[]] = [[], []];
  const waiting = new Set<{ look(): void; fail(error: Error): void }>();
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) frames.push(data);
    else messages.push(JSON.parse(data.toString()) as Message);
    for (const { look } of [...waiting]) look();
  });
  socket.on('close', () => {
    for (const { fail } of waiting) fail(new Error('the socket was closed'));
  });
  onTestFinished(() => socket.terminate());
  const until = (fits: (message: Message) => boolean): Promise<Message> =>
    new Promise((resolve, fail) => {
      let seen = 0;
      const look = (): void => {
        for (; seen < messages.length; seen++) {
          const message = messages[seen]!;
          if (!fits(message)) continue;
          waiting.delete(waiter);
          resolve(message);
          return;
        }
      };
      const waiter = { look, fail };
      waiting.add(waiter);
      look();
    });
  const client: Client = {
    socket,
    messages,
    frames,
    until,
    end: (promptId) =>
      until(
        ({ type, data }) => type === 'executing' && data['node'] === null && data['prompt_id'] === promptId,
      ),
  };
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  await until(({ type }) => type === 'status');
  return client;
}

/** A graph of one node. */
export function graph(class_type: string, inputs: Record<string, unknown> = {}): Record<string, unknown> {
  return { '1': { class_type, inputs } };
}
