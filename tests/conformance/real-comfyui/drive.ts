import WebSocket from 'ws';
import type { Graph } from '../golden/graphs.ts';

/** A message of ComfyUI's socket. */
export type Message = {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
};

/** How a prompt ended. */
export type Run = {
  readonly promptId: string;
  readonly messages: readonly Message[];
  /** `ui` of each output node. */
  readonly outputs: Readonly<Record<string, Readonly<Record<string, readonly unknown[]>>>>;
  /** The error a node ended with. */
  readonly error?: Readonly<Record<string, unknown>>;
  readonly interrupted: boolean;
};

/** Longest wait for one prompt. */
const RUN_MS = 300_000;

/** A client of a running ComfyUI: one prompt at a time. */
export class Driver {
  readonly url: string;
  readonly #socket: WebSocket;
  #told: (message: Message) => void = () => {};

  private constructor(url: string, socket: WebSocket) {
    this.url = url;
    this.#socket = socket;
    socket.on('message', (data, isBinary) => {
      if (!isBinary) this.#told(JSON.parse(String(data)) as Message);
    });
  }

  static async open(url: string): Promise<Driver> {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws?clientId=real`);
    await new Promise<void>((done, fail) => {
      socket.once('open', done).once('error', fail);
    });
    return new Driver(url, socket);
  }

  /** Ends the socket, also when the server is gone. */
  close(): void {
    this.#socket.terminate();
  }

  /**
   * Queues a prompt and waits for its end.
   * @param onMessage called with every message of it.
   * @throws Error when it is refused, or does not end.
   */
  async run(prompt: Graph, onMessage: (message: Message) => void = () => {}): Promise<Run> {
    const messages: Message[] = [];
    let promptId: string | undefined;
    let settle: () => void = () => {};
    const ended = new Promise<void>((done, fail) => {
      const timer = setTimeout(() => fail(new Error('the prompt did not end')), RUN_MS);
      const isGone = (): void => {
        clearTimeout(timer);
        fail(new Error('the server went away'));
      };
      settle = () => {
        clearTimeout(timer);
        this.#socket.off('close', isGone);
        done();
      };
      this.#socket.once('close', isGone);
    });
    // Also where the prompt is refused, so that nobody waits for it.
    ended.catch(() => {});
    const isEnd = ({ type, data }: Message): boolean =>
      type === 'executing' && data['node'] === null && data['prompt_id'] === promptId;
    this.#told = (message) => {
      messages.push(message);
      onMessage(message);
      if (isEnd(message)) settle();
    };
    const extra_data = { extra_pnginfo: { workflow: { nodes: [], links: [], version: 0.4 } } };
    const answer = await this.#post('/prompt', { prompt, client_id: 'real', extra_data });
    promptId = ((await answer.json()) as { readonly prompt_id?: string }).prompt_id;
    if (promptId === undefined) {
      settle();
      throw new Error(`the prompt was refused with ${answer.status}`);
    }
    // It may have ended before its id was known.
    if (messages.some(isEnd)) settle();
    await ended;

    const history = (await (await fetch(`${this.url}/history/${promptId}`)).json()) as Readonly<
      Record<string, Pick<Run, 'outputs'>>
    >;
    const error = messages.find(({ type }) => type === 'execution_error')?.data;
    return {
      promptId,
      messages,
      outputs: history[promptId]?.outputs ?? {},
      ...(error && { error }),
      interrupted: messages.some(({ type }) => type === 'execution_interrupted'),
    };
  }

  async interrupt(): Promise<void> {
    await this.#post('/interrupt', {});
  }

  #post(path: string, body: unknown): Promise<Response> {
    const headers = { 'Content-Type': 'application/json' };
    return fetch(`${this.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  }
}
