import { queryOf, type SavedImage } from '../shared/panel-client.ts';

/** What ComfyUI's API says of a job that waits or runs: number, id, prompt, extra data, outputs. */
export type QueueItem = readonly [
  number,
  string,
  Prompt,
  Readonly<Record<string, unknown>>,
  readonly string[],
];

/** A prompt graph. */
export type Prompt = Readonly<Record<string, PromptNode>>;
type PromptNode = { readonly class_type: string; readonly _meta?: { readonly title?: string } };

/** A finished run. */
export type HistoryEntry = {
  readonly prompt: QueueItem;
  readonly outputs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly status: {
    readonly status_str: string;
    readonly completed: boolean;
    readonly messages: readonly (readonly [string, Readonly<Record<string, unknown>>])[];
  };
};

/** One fault of a prompt. */
type ApiError = { readonly type: string; readonly message: string; readonly details: string };

/** The answer to a refused prompt, and what of an accepted one does not run. */
export type Refusal = {
  readonly error?: ApiError | string;
  readonly node_errors?: Readonly<
    Record<string, { readonly class_type: string; readonly errors: readonly ApiError[] }>
  >;
};

/** A node class as the server offers it. */
export type NodeClass = {
  readonly name: string;
  /** V3 nodes may have none. */
  readonly display_name: string | null;
  readonly description: string | null;
  readonly category: string;
  readonly output_node: boolean;
  readonly input: {
    readonly required?: Readonly<Record<string, InputSpec>>;
    readonly optional?: Readonly<Record<string, InputSpec>>;
  };
  readonly output: readonly unknown[];
  readonly output_name: readonly string[];
};
type InputSpec = readonly [string | readonly unknown[], Readonly<Record<string, unknown>>?];

/** Raised where the server wants a token first. */
export class LoginNeeded extends Error {}

/** How many finished runs are asked for. */
const SHOWN_RUNS = 100;

/** Every request goes to where the page came from, also below a path of a proxy. */
export async function ask(route: string, options?: RequestInit): Promise<Response> {
  const response = await fetch(`api${route}`, { credentials: 'same-origin', ...options });
  if (response.status === 401) throw new LoginNeeded('the server wants a token');
  return response;
}

/** Running first, then what waits, next one first. */
export async function fetchQueue(): Promise<{
  readonly running: readonly QueueItem[];
  readonly pending: readonly QueueItem[];
}> {
  const queue = await readJson<{ queue_running: QueueItem[]; queue_pending: QueueItem[] }>(
    await ask('/queue'),
  );
  return { running: queue.queue_running, pending: queue.queue_pending.toSorted(([a], [b]) => a - b) };
}

/** Finished runs, newest first. */
export async function fetchHistory(): Promise<readonly (readonly [id: string, entry: HistoryEntry])[]> {
  const route = `/history?max_items=${SHOWN_RUNS}`;
  return Object.entries(await readJson<Record<string, HistoryEntry>>(await ask(route))).reverse();
}

/** Every node class, by title. */
export async function fetchNodes(): Promise<readonly NodeClass[]> {
  const nodes = Object.values(await readJson<Record<string, NodeClass>>(await ask('/object_info')));
  return nodes.toSorted((a, b) => titleOf(a).localeCompare(titleOf(b)));
}

/** What a node is called. */
export function titleOf({ display_name, name }: NodeClass): string {
  return display_name ?? name;
}

/**
 * Queues a prompt.
 *
 * @param body JSON text of the request
 * @returns undefined, or what the server refused, wholly or in part
 */
export async function queuePrompt(body: string): Promise<Refusal | undefined> {
  const response = await ask('/prompt', { ...JSON_POST, body });
  const text = await response.text();
  if (response.status >= 500 || text === '')
    return { error: `The server answered ${response.status} ${response.statusText}.` };
  const answer = JSON.parse(text) as Refusal;
  return !response.ok || Object.keys(answer.node_errors ?? {}).length > 0 ? answer : undefined;
}

/** Stops a run. */
export async function interrupt(promptId: string): Promise<void> {
  await ask('/interrupt', { ...JSON_POST, body: JSON.stringify({ prompt_id: promptId }) });
}

/** Takes runs that wait out of the queue; all of them without ids. */
export async function cancelPending(promptIds?: readonly string[]): Promise<void> {
  const body = JSON.stringify(promptIds ? { delete: promptIds } : { clear: true });
  await ask('/queue', { ...JSON_POST, body });
}

/** Where a picture is; a small one for overviews. */
export function viewUrl(image: SavedImage, small = false): string {
  return `api/view?${queryOf(image)}${small ? '&preview=webp;80' : ''}`;
}

/** Gives the token in exchange for a cookie. */
export async function logIn(token: string): Promise<boolean> {
  const response = await fetch('lineage/login', {
    ...JSON_POST,
    credentials: 'same-origin',
    body: JSON.stringify({ token }),
  });
  return response.ok;
}

const JSON_POST = { method: 'POST', headers: { 'Content-Type': 'application/json' } } as const;

async function readJson<T>(response: Response): Promise<T> {
  if (!response.ok) throw new Error(`the server answered ${response.status} ${response.statusText}`);
  // ComfyUI's API: its shapes are the types above.
  return (await response.json()) as T;
}
