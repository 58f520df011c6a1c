import type { ApiPrompt } from '../../nodes/kit/api-prompt.ts';

/** A prompt that passed validation and waits, runs or ran. */
export type Job = {
  /** Priority: the lowest runs first. */
  readonly number: number;
  readonly promptId: string;
  /** As validation left it: literals coerced. */
  readonly prompt: ApiPrompt;
  /** What the client sent along (`extra_pnginfo`, `client_id` …) and `create_time`; without its secrets. */
  readonly extraData: Readonly<Record<string, unknown>>;
  /** The output nodes to run. */
  readonly outputs: readonly string[];
  /** The client that hears of it; undefined: nobody in particular. */
  readonly clientId?: string;
};

/** What became of a job; the server makes its history entry of it. */
export type Outcome = {
  readonly status: 'success' | 'error' | 'interrupted';
  /** `ui` messages by node id. */
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly meta: Readonly<Record<string, NodeMeta>>;
  /** `execution_*` messages as they were sent, `[event, data]`. */
  readonly messages: readonly (readonly [event: string, data: Readonly<Record<string, unknown>>])[];
};

/** Which node of the client's graph an output belongs to. */
export type NodeMeta = {
  readonly node_id: string;
  readonly display_node: string;
  readonly parent_node: string | null;
  readonly real_node_id: string;
};
