import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import type { ApiNode } from '../../../nodes/kit/api-prompt.ts';

/** A prompt graph of a bench; its literals may be numbers of any kind. */
export type BenchGraph = Readonly<Record<string, ApiNode>>;

/** A JSON message, and when it came. */
export type Message = {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly atMs: number;
};

/** One client of a ComfyUI-compatible server. */
export type Session = {
  readonly clientId: string;
  /** Queues a graph and gives its id. */
  post(graph: BenchGraph): Promise<string>;
  /** Queues a graph and waits for its end; every message that came for it, in order. */
  run(graph: BenchGraph): Promise<readonly Message[]>;
  /** The messages of one prompt, once it has ended. */
  ended(promptId: string): Promise<readonly Message[]>;
  close(): void;
};

/** Connects a client. Messages that name no prompt (`status`) are not kept. */
export async function openSession(url: string): Promise<Session> {
  const clientId = randomUUID();
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws?clientId=${clientId}`);
  const heard = new Map<string, Message[]>();
  const waiting = new Map<string, (messages: readonly Message[]) => void>();
  const isOver = (messages: readonly Message[]): boolean =>
    messages.some(({ type, data }) => type === 'executing' && data['node'] === null);

  socket.on('message', (raw, isBinary) => {
    if (isBinary) return;
    const { type, data }: { type: string; data: Record<string, unknown> } = JSON.parse(String(raw));
    const promptId = data['prompt_id'];
    if (typeof promptId !== 'string') return;
    const messages = heard.get(promptId) ?? [];
    heard.set(promptId, messages);
    messages.push({ type, data, atMs: performance.now() });
    if (isOver(messages)) waiting.get(promptId)?.(messages);
  });
  await new Promise<void>((done, fail) => socket.once('open', done).once('error', fail));

  const post = async (graph: BenchGraph): Promise<string> => {
    const response = await fetch(`${url}/prompt`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: graph, client_id: clientId }),
    });
    const answer: { prompt_id?: string } = JSON.parse(await response.text());
    if (answer.prompt_id === undefined) throw new Error(`refused: ${JSON.stringify(answer).slice(0, 500)}`);
    return answer.prompt_id;
  };
  const ended = (promptId: string): Promise<readonly Message[]> => {
    const messages = heard.get(promptId) ?? [];
    if (isOver(messages)) return Promise.resolve(messages);
    return new Promise((done) => waiting.set(promptId, done));
  };
  return {
    clientId,
    post,
    ended,
    run: async (graph) => {
      const messages = await ended(await post(graph));
      const failure = messages.find(({ type }) => type === 'execution_error');
      if (failure) throw new Error(`the run failed: ${JSON.stringify(failure.data).slice(0, 800)}`);
      return messages;
    },
    close: () => socket.close(),
  };
}

/**
 * Milliseconds that each node of a chain took, as its client sees it: from its `executing` to that of the next, the
 * host's own bookkeeping included.
 * @param names ids of the nodes to look at
 */
export function nodeTimes(messages: readonly Message[], names: ReadonlySet<string>): number[] {
  const starts = messages.filter(({ type }) => type === 'executing');
  return starts.flatMap(({ data, atMs }, index) => {
    const next = starts[index + 1];
    return next !== undefined && names.has(String(data['node'])) ? [next.atMs - atMs] : [];
  });
}
