import { element, fill } from '../shared/element.ts';
import type { Live } from './live.ts';
import { cancelPending, type HistoryEntry, interrupt, type Prompt, type QueueItem } from './server.ts';

/** What the list of runs shows. */
export type RunsState = {
  readonly running: readonly QueueItem[];
  readonly pending: readonly QueueItem[];
  readonly history: readonly (readonly [id: string, entry: HistoryEntry])[];
  readonly live: Live | undefined;
};

/** Waiting runs and failures that are listed; the rest is counted. */
const [SHOWN_PENDING, SHOWN_FAILURES] = [8, 5];

/** Runs: the one at work with its progress, those that wait, the last that failed. */
export function showRuns(parent: Element, { running, pending, history, live }: RunsState): void {
  const failed = history.filter(([, { status }]) => status.status_str === 'error').slice(0, SHOWN_FAILURES);
  const hidden = pending.length - SHOWN_PENDING;
  fill(
    parent,
    element('h2', {}, 'Runs', element('span', { class: 'count' }, String(running.length + pending.length))),
    running.length + pending.length === 0 && element('p', { class: 'empty' }, 'Nothing is queued.'),
    ...running.map((item) => runningCard(item, live?.promptId === item[1] ? live : undefined)),
    pending.length > 0 &&
      element('ul', { class: 'pending' }, ...pending.slice(0, SHOWN_PENDING).map(pendingRow)),
    hidden > 0 && element('p', { class: 'help' }, `and ${hidden} more`),
    pending.length > 1 &&
      element('button', { type: 'button', click: () => void cancelPending() }, 'Cancel all that wait'),
    failed.length > 0 && element('h2', {}, 'Did not finish'),
    ...failed.map(([id, entry]) => failureCard(id, entry)),
  );
}

function runningCard([, id, prompt]: QueueItem, live: Live | undefined): HTMLElement {
  const total = Object.keys(prompt).length;
  const done = live ? live.finished.size : 0;
  const share = live && live.max > 0 ? live.value / live.max : 0;
  return element(
    'article',
    { class: 'run', 'aria-label': 'Running' },
    element(
      'div',
      { class: 'run-head' },
      element('b', {}, live?.node === undefined ? 'Running' : nodeTitle(prompt, live.node)),
      element('button', { type: 'button', class: 'quiet', click: () => void interrupt(id) }, 'Stop'),
    ),
    element('progress', {
      max: String(total),
      value: String(Math.min(total, done + share)),
      'aria-label': 'Nodes done',
    }),
    element(
      'p',
      { class: 'help' },
      `${done} of ${total} nodes`,
      live && live.max > 1 ? ` · step ${live.value} of ${live.max}` : null,
    ),
    live?.preview !== undefined &&
      element('img', { class: 'preview', src: live.preview, alt: 'Preview of the picture being made' }),
  );
}

function nodeTitle(prompt: Prompt, id: string): string {
  const node = Object.hasOwn(prompt, id) ? prompt[id] : undefined;
  return node?._meta?.title ?? node?.class_type ?? `Node ${id}`;
}

function pendingRow([, id, prompt]: QueueItem): HTMLElement {
  const cancel = { type: 'button', class: 'quiet', click: () => void cancelPending([id]) };
  return element(
    'li',
    {},
    element('span', { title: id }, `${Object.keys(prompt).length} nodes`),
    element('code', {}, id.slice(0, 8)),
    element('button', { ...cancel, 'aria-label': `Cancel run ${id.slice(0, 8)}` }, 'Cancel'),
  );
}

/** A run that failed or was stopped, with what its node said. */
function failureCard(id: string, { status, prompt: [, , prompt] }: HistoryEntry): HTMLElement {
  const [event, said] = status.messages.at(-1) ?? ['', {}];
  if (event === 'execution_interrupted')
    return element(
      'article',
      { class: 'run' },
      element('p', { class: 'help' }, `Run ${id.slice(0, 8)} was stopped.`),
    );
  const text = (key: string): string => String(said[key] ?? '');
  const node = text('node_id');
  const trace = said['traceback'];
  return element(
    'article',
    { class: 'run error' },
    element('b', {}, node === '' ? 'Failed' : `${nodeTitle(prompt, node)} failed`),
    node !== '' && element('p', { class: 'help' }, `node ${node}, ${text('node_type')}`),
    element('p', { class: 'said' }, text('exception_message').trim() || text('exception_type')),
    Array.isArray(trace) &&
      element(
        'details',
        {},
        element('summary', {}, 'Where'),
        element('pre', { tabindex: '0' }, trace.join('')),
      ),
  );
}
