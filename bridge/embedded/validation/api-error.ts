import { ExactNumber } from '../../../nodes/kit/exact-json.ts';
import { isRecord } from '../../../nodes/kit/is-record.ts';

/** An error as ComfyUI's API spells it; clients match on `type`, and show the rest. */
export type ApiError = {
  readonly type: string;
  readonly message: string;
  readonly details: string;
  readonly extra_info: Readonly<Record<string, unknown>>;
};

/** What is wrong with the nodes of a prompt, by node id; only nodes with errors of their own. */
export type NodeErrors = Readonly<Record<string, NodeError>>;

/** What is wrong with one node. */
type NodeError = {
  readonly errors: readonly ApiError[];
  /** The outputs that failed and had this node checked by then, as ComfyUI lists them. */
  readonly dependent_outputs: readonly string[];
  readonly class_type: string;
};

/**
 * Brings a value that nodes declare (options of an input) into a form that `JSON.stringify` writes exactly: a bigint
 * becomes an `ExactNumber`. What JSON lacks (functions, undefined) is left out by `JSON.stringify` itself.
 */
export function toExactJson(value: unknown): unknown {
  if (typeof value === 'bigint') return new ExactNumber(String(value));
  if (Array.isArray(value)) return value.map(toExactJson);
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, toExactJson(each)]));
}
