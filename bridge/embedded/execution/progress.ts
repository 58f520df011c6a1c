import type { Pixels } from '../../../nodes/kit/values.ts';
import type { EventSink } from '../events.ts';
import type { Job } from '../job.ts';
import type { RunningPrompt } from './dynamic-prompt.ts';
import type { Messages } from './messages.ts';

/** How far each node of a job is, as clients hear it. */
export type Progress = {
  /** The node begins; its state is told before anything else of it is. */
  start(id: string): void;
  /** The node says how far it is; told at once, or with the next word of it that is due. */
  update(id: string, value: number, total: number, preview?: Pixels): void;
  /** The node is done, having told its last word. */
  finish(id: string): void;
  /** The job is over: what is still due is told, and nothing after it. */
  end(): void;
};

/** A node speaks at most this often. */
const SPEAK_EVERY_MS = 100;
/** The states of all nodes take at most this share of the time. */
const STATE_SHARE = 1 / 20;
/** Up to so many nodes every change of state is told at once, as ComfyUI does. */
const SMALL_GRAPH = 64;
/** A client takes about so many states in the time that a node has for one word; a larger graph is told less often. */
const STATES_AT_ONCE = 1_000;

/** A word of a node that waits for its time. */
type Word = { readonly value: number; readonly total: number; readonly preview: Pixels | undefined };

/** When a node spoke last, what it has to say, and the timer that will say it. */
type Voice = { spoke: number; due: Word | undefined; timer: NodeJS.Timeout | undefined };

/**
 * `progress_state` holds all nodes that have begun, each time: sent for every change it would be quadratic in a large
 * graph (as it is in ComfyUI). Beyond `SMALL_GRAPH` nodes it goes out at most ten times a second, and less often where
 * there are thousands of nodes or sending takes long; `executing`, which is never held back, still tells which node runs.
 */
export function createProgress(
  job: Job,
  prompt: RunningPrompt,
  events: EventSink,
  messages: Messages,
): Progress {
  const nodes: Record<string, Record<string, unknown>> = Object.create(null);
  const voices = new Map<string, Voice>();
  let count = 0;
  let due = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;

  function sendState(): void {
    clearTimeout(timer);
    timer = undefined;
    const began = performance.now();
    messages.broadcast('progress_state', { prompt_id: job.promptId, nodes });
    const sent = performance.now();
    const rest = SPEAK_EVERY_MS * Math.max(1, count / STATES_AT_ONCE);
    due = sent + Math.max(rest, (sent - began) / STATE_SHARE);
  }

  function stateChanged(): void {
    const wait = count <= SMALL_GRAPH ? 0 : due - performance.now();
    if (wait <= 0) sendState();
    else timer ??= setTimeout(sendState, wait);
  }

  function set(id: string, state: 'running' | 'finished', value: number, max: number): void {
    let entry = nodes[id];
    if (!entry) {
      count++;
      entry = nodes[id] = {
        value,
        max,
        state,
        node_id: id,
        prompt_id: job.promptId,
        display_node_id: prompt.displayId(id),
        parent_node_id: prompt.parentId(id) ?? null,
        real_node_id: prompt.realId(id),
      };
    }
    entry['value'] = value;
    entry['max'] = max;
    entry['state'] = state;
  }

  function speak(id: string, voice: Voice): void {
    clearTimeout(voice.timer);
    voice.timer = undefined;
    const word = voice.due;
    if (!word) return;
    voice.due = undefined;
    voice.spoke = performance.now();
    const { value, total, preview } = word;
    set(id, 'running', value, total);
    stateChanged();
    if (preview) {
      events.preview(
        preview,
        {
          node_id: id,
          prompt_id: job.promptId,
          display_node_id: prompt.displayId(id),
          parent_node_id: prompt.parentId(id) ?? null,
          real_node_id: prompt.realId(id),
        },
        job.clientId,
      );
    }
    messages.broadcast('progress', { value, max: total, prompt_id: job.promptId, node: id });
  }

  return {
    start(id) {
      set(id, 'running', 0, 1);
      stateChanged();
    },
    update(id, value, total, preview) {
      // A node that was left behind may go on talking.
      if (ended || nodes[id]?.['state'] !== 'running') return;
      const voice = voices.get(id) ?? { spoke: Number.NEGATIVE_INFINITY, due: undefined, timer: undefined };
      voices.set(id, voice);
      // A preview that nobody has seen yet is not lost to a word without one.
      voice.due = { value, total, preview: preview ?? voice.due?.preview };
      const wait = voice.spoke + SPEAK_EVERY_MS - performance.now();
      if (wait <= 0) speak(id, voice);
      else voice.timer ??= setTimeout(() => speak(id, voice), wait);
    },
    finish(id) {
      const voice = voices.get(id);
      if (voice) speak(id, voice);
      voices.delete(id);
      const max = nodes[id]?.['max'];
      const reached = typeof max === 'number' ? max : 1;
      set(id, 'finished', reached, reached);
      stateChanged();
    },
    end() {
      for (const [id, voice] of voices) speak(id, voice);
      if (timer) sendState();
      ended = true;
    },
  };
}
