import { ExactNumber, type Json } from './exact-json.ts';
import { isRecord } from './is-record.ts';

/**
 * A prompt graph as clients post it: node ids to nodes. Literals keep their spelling (`5` is an integer, `5.0` a
 * float, 64-bit seeds are whole), see `ExactNumber`. Keys are attacker text: look them up with `Object.hasOwn`.
 */
export type ApiPrompt = Readonly<Record<string, ApiNode>>;

/** One node of it. */
export type ApiNode = {
  readonly class_type: string;
  /** Literals, links `[node id, slot]`, or `{"__value__": literal}` for a list that is no link. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly _meta?: { readonly title?: string };
};

/** A link as a prompt spells it. */
export type ApiLink = readonly [nodeId: string, slot: number];

/** Whether an input is a link: ComfyUI takes any pair of a text and a number for one. */
export function isApiLink(value: unknown): value is ApiLink {
  return (
    Array.isArray(value) && value.length === 2 && typeof value[0] === 'string' && typeof value[1] === 'number'
  );
}

/** What Python would call a JSON literal; ComfyUI's type checks see the difference of `5` and `5.0`. */
export function pythonTypeOf(value: Json): 'int' | 'float' | 'str' | 'bool' | 'list' | 'dict' | 'NoneType' {
  if (value === null) return 'NoneType';
  if (typeof value === 'string') return 'str';
  if (typeof value === 'boolean') return 'bool';
  if (Array.isArray(value)) return 'list';
  if (isRecord(value)) return 'dict';
  const text = value instanceof ExactNumber ? value.text : String(value);
  return /^-?\d+$/.test(text) ? 'int' : 'float';
}
