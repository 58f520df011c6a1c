import { LineageError } from '../kit/errors.ts';
import { ExactNumber, type Json } from '../kit/exact-json.ts';
import { isRecord } from '../kit/is-record.ts';
import type { WarningSink } from '../kit/warnings.ts';

/** A node's id, always a string: `3`, `57:8` inside a subgraph, `12.0.5` when expanded at run time. */
export type NodeId = string;

/** A link upstream: `from`'s output `slot`. */
export type Link = { readonly from: NodeId; readonly slot: number };

export type PromptNode = {
  readonly id: NodeId;
  readonly classType: string;
  /** Literal inputs, `__value__` wrappers taken off. */
  readonly literals: ReadonlyMap<string, Json>;
  /** Linked inputs, in the order of the document. */
  readonly links: ReadonlyMap<string, Link>;
};

/** A parsed prompt graph (ComfyUI's "API format"). */
export type PromptGraph = ReadonlyMap<NodeId, PromptNode>;

/** Deeper than any nested literal a node takes. */
const MAX_LITERAL_DEPTH = 64;
const LOST = 'a value that is no JSON, or nests too deep, was read as null';

/**
 * Where a graph that anybody may have sent becomes typed. Accepts the graph itself, or a document that carries it as
 * `prompt` (a queue request, a recorded pair).
 *
 * @throws LineageError `graph/malformed` when nothing in it looks like a prompt graph
 */
export function parsePromptGraph(input: unknown, warn: WarningSink): PromptGraph {
  const entries = nodeEntries(input);
  const graph = new Map<NodeId, PromptNode>();
  for (const [id, raw] of entries) {
    const node = parseNode(id, raw, warn);
    if (node) graph.set(id, node);
    else warn('graph/malformed-node', `expected {class_type, inputs}, got ${describe(raw)}`, id);
  }
  if (graph.size === 0) {
    throw new LineageError('graph/malformed', `expected nodes with class_type, got ${describe(input)}`);
  }
  return graph;
}

function nodeEntries(input: unknown): readonly [string, unknown][] {
  if (!isRecord(input)) {
    throw new LineageError('graph/malformed', `expected an object of nodes, got ${describe(input)}`);
  }
  if (Array.isArray(input['nodes'])) {
    throw new LineageError('graph/malformed', 'expected a prompt graph, got a workflow in the editor format');
  }
  return Object.entries(bareGraph(input));
}

/** The graph alone, out of the document that carries it as `prompt`; what comes without one is given back. */
export function bareGraph<T>(document: T): T | Readonly<Record<string, unknown>> {
  const inner = isRecord(document) ? document['prompt'] : undefined;
  return isRecord(inner) && !('class_type' in inner) ? inner : document;
}

function parseNode(id: NodeId, raw: unknown, warn: WarningSink): PromptNode | undefined {
  if (!isRecord(raw) || typeof raw['class_type'] !== 'string') return undefined;
  const inputs = raw['inputs'] ?? {};
  if (!isRecord(inputs)) return undefined;
  const literals = new Map<string, Json>();
  const links = new Map<string, Link>();
  for (const [name, value] of Object.entries(inputs)) {
    const link = asLink(value);
    if (link) links.set(name, link);
    else
      literals.set(
        name,
        asLiteral(value, 0, () => warn('value/cleaned', LOST, `${id}.${name}`)),
      );
  }
  return { id, classType: raw['class_type'], literals, links };
}

/** ComfyUI's own rule: a list of two, a string and a number. A list that looks so but is data comes as `__value__`. */
function asLink(value: unknown): Link | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [from, slot] = value;
  const number = slot instanceof ExactNumber ? slot.value : slot;
  if (typeof from !== 'string' || typeof number !== 'number') return undefined;
  return { from, slot: Math.trunc(number) };
}

/** What no file could hold becomes null, and that is told. */
function asLiteral(value: unknown, depth: number, lose: () => void): Json {
  const lost = (): null => {
    lose();
    return null;
  };
  if (depth > MAX_LITERAL_DEPTH) return lost();
  if (Array.isArray(value)) return value.map((item) => asLiteral(item, depth + 1, lose));
  if (isRecord(value)) {
    if ('__value__' in value) return asLiteral(value['__value__'], depth + 1, lose);
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, asLiteral(v, depth + 1, lose)]));
  }
  if (value instanceof ExactNumber || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return new ExactNumber(String(value));
  if (value === null || value === undefined) return null;
  return typeof value === 'number' && Number.isFinite(value) ? value : lost();
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isRecord(value)) return `an object with keys ${JSON.stringify(Object.keys(value).slice(0, 5))}`;
  return typeof value;
}

/**
 * Orders ids part by part (parts end at `:` or `.`), numbers as numbers: `9` < `10` < `57:8` < `57:10`. What is
 * not a number sorts behind numbers, as text; an id sorts before its own expansions.
 */
export function compareNodeIds(a: NodeId, b: NodeId): number {
  const left = a.split(/[:.]/);
  const right = b.split(/[:.]/);
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = comparePart(left[i] ?? '', right[i] ?? '');
    if (order !== 0) return order;
  }
  return left.length - right.length || (a < b ? -1 : a > b ? 1 : 0);
}

function comparePart(a: string, b: string): number {
  const [numeric, otherNumeric] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (numeric !== otherNumeric) return numeric ? -1 : 1;
  if (numeric) {
    const difference = BigInt(a) - BigInt(b);
    return difference < 0n ? -1 : difference > 0n ? 1 : 0;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}
