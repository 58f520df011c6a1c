import { type Answers, type Asked, ask, Listener, reduce } from './answers.ts';

/** A server under the script, and what it answered so far. */
export class Stage {
  readonly url: string;
  readonly answers: Answers = {};
  #prompts = 0;

  constructor(url: string) {
    this.url = url;
  }

  /** Asks, and keeps the answer under `METHOD route: what is special`. */
  async http(name: string, method: string, path: string, asked: Asked = {}): Promise<void> {
    this.keep(name, await reduce(await ask(this.url, method, path, asked), asked));
  }

  /** Asks for something that must only happen. */
  async do(method: string, path: string, asked: Asked = {}): Promise<void> {
    await ask(this.url, method, path, asked);
  }

  /** Keeps what a listener heard. */
  heard(name: string, listener: Listener): void {
    this.keep(name, listener.take());
  }

  listen(clientId?: string): Promise<Listener> {
    return Listener.open(this.url, clientId);
  }

  /** A prompt id that is the same in every run. */
  nextPromptId(): string {
    this.#prompts += 1;
    return `00000000-0000-4000-8000-${String(this.#prompts).padStart(12, '0')}`;
  }

  /** Keeps something found otherwise. */
  keep(name: string, answer: Answers[string]): void {
    if (Object.hasOwn(this.answers, name)) throw new Error(`two cases are named ${name}`);
    this.answers[name] = answer;
  }
}
