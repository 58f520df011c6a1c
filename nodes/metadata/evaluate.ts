import type { NodeRule, Operand } from '../../rules/define.ts';
import { ExactNumber, type Json } from './exact-json.ts';
import type { Link, NodeId, PromptGraph, PromptNode } from './graph.ts';
import { asText, compute } from './operations.ts';
import type { RuleBook } from './rule-book.ts';

/** A value found without running anything, and the nodes it came through, origin first. */
type Found = { readonly value: Json; readonly through: readonly NodeId[] };

/** Values that a run produced, where a host has them; they win over the static answer. */
export type ExecutedValues = (nodeId: NodeId, slot: number) => unknown;

export type Evaluator = {
  /** The value of a node's input: its literal, or what its link gives. Undefined when only a run could tell. */
  input(node: PromptNode, name: string): Found | undefined;
  /** The inputs a switch hands on: one where its selector is known, else none and `undefined`. */
  selected(node: PromptNode, rule: NodeRule): string | undefined;
  /** Where a bundle gets a key from: the input that sets it, on this node or on one further up. */
  bundled(node: PromptNode, key: string): { readonly node: PromptNode; readonly input: string } | undefined;
};

/** No graph that people wire passes one value through so many nodes; deeper is answered with "unknown". */
const MAX_VALUE_DEPTH = 256;

/**
 * Evaluates strings, numbers, switches and bundles of a prompt graph statically, by rule. Answers are
 * remembered, so that a shared chain is walked once.
 */
export function createEvaluator(graph: PromptGraph, book: RuleBook, executed?: ExecutedValues): Evaluator {
  const answers = new Map<string, Found | undefined>();
  const open = new Set<string>();
  const skipsByKey = new Map<string, Map<PromptNode, PromptNode>>();

  function input(node: PromptNode, name: string, depth = 0): Found | undefined {
    const literal = node.literals.get(name);
    if (literal !== undefined) return { value: literal, through: [] };
    const link = node.links.get(name);
    return link && output(link, depth + 1);
  }

  function output(link: Link, depth: number, wanted?: string): Found | undefined {
    const key = `${link.from}\n${link.slot}\n${wanted ?? ''}`;
    if (answers.has(key)) return answers.get(key);
    if (open.has(key) || depth > MAX_VALUE_DEPTH) return undefined;
    open.add(key);
    const found = executedValue(link) ?? staticValue(link, depth, wanted);
    open.delete(key);
    answers.set(key, found);
    return found;
  }

  function executedValue(link: Link): Found | undefined {
    const value = executed?.(link.from, link.slot);
    return isScalar(value) ? { value, through: [link.from] } : undefined;
  }

  function staticValue(link: Link, depth: number, wanted: string | undefined): Found | undefined {
    const node = graph.get(link.from);
    const rule = node && book.get(node.classType)?.rule;
    if (!node || !rule) return undefined;
    const found = valueByRule(node, rule, link.slot, depth, wanted);
    return found && { value: found.value, through: [...found.through, node.id] };
  }

  function valueByRule(
    node: PromptNode,
    rule: NodeRule,
    slot: number,
    depth: number,
    wanted: string | undefined,
  ): Found | undefined {
    if (rule.pipe) {
      const key = wanted ?? rule.pipe.slots[slot];
      const source = key ? bundled(node, key, depth) : undefined;
      return source && input(source.node, source.input, depth + 1);
    }
    if (rule.switch) {
      const chosen = selected(node, rule, depth);
      return chosen === undefined ? undefined : input(node, chosen, depth);
    }
    const operation = rule.computes?.[slot];
    if (operation) {
      // A node that is joined with itself stands here once.
      const through = new Set<NodeId>();
      const value = compute(operation, [...node.literals.keys(), ...node.links.keys()], (operand) => {
        const found = operandValue(node, operand, depth);
        for (const id of found?.through ?? []) through.add(id);
        return found?.value;
      });
      return value === undefined ? undefined : { value, through: [...through] };
    }
    const passed = rule.gives?.[slot];
    const only = passed?.length === 1 ? passed[0] : undefined;
    return only === undefined ? undefined : input(node, only, depth);
  }

  function operandValue(node: PromptNode, operand: Operand, depth: number): Found | undefined {
    if ('value' in operand) return { value: operand.value, through: [] };
    return input(node, operand.input, depth);
  }

  function selected(node: PromptNode, rule: NodeRule, depth = 0): string | undefined {
    const how = rule.switch;
    if (!how) return undefined;
    if ('first' in how) return [...node.links.keys()].filter((name) => name.startsWith(how.first)).sort()[0];
    const by = input(node, how.by, depth + 1);
    if (!by) return undefined;
    const text = asText(by.value);
    return 'prefix' in how ? `${how.prefix}${text}` : how.cases[text];
  }

  function bundled(
    start: PromptNode,
    key: string,
    depth = 0,
  ): { node: PromptNode; input: string } | undefined {
    const seen = new Set<NodeId>();
    const waiting: PromptNode[] = [start];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const node = skipPlain(next, key);
      if (seen.has(node.id)) continue;
      seen.add(node.id);
      const rule = book.get(node.classType)?.rule;
      if (sets(node, key)) return { node, input: key };
      if (rule) waiting.push(...bundlesOf(node, rule, depth).reverse());
    }
    return undefined;
  }

  /**
   * From a node up, the first that sets the key or has not exactly one bundle to fall back to. Where each node of a
   * long chain of bundles is asked, each would walk the whole chain without this.
   */
  function skipPlain(start: PromptNode, key: string): PromptNode {
    const skips = skipsByKey.get(key) ?? new Map<PromptNode, PromptNode>();
    skipsByKey.set(key, skips);
    const passed = new Set<PromptNode>();
    let node = start;
    for (;;) {
      const known = skips.get(node);
      const rule = book.get(node.classType)?.rule;
      const only =
        known ?? (rule && !rule.switch && !sets(node, key) ? onlyOf(bundlesOf(node, rule, 0)) : undefined);
      if (!only || passed.has(node)) break;
      passed.add(node);
      node = only;
      if (known) break;
    }
    for (const each of passed) if (each !== node) skips.set(each, node);
    return node;
  }

  /** The nodes a bundle falls back to, the preferred first. */
  function bundlesOf(node: PromptNode, rule: NodeRule, depth: number): PromptNode[] {
    const pipe = rule.pipe;
    const chosen = rule.switch ? [selected(node, rule, depth) ?? ''] : undefined;
    const names =
      chosen ??
      (pipe ? bundleInputs(node, pipe.from) : (rule.gives?.flat() ?? Object.keys(rule.takes ?? {})));
    if (pipe?.prefer === 'last') names.reverse();
    return names.flatMap((name) => graph.get(node.links.get(name)?.from ?? '') ?? []);
  }

  return {
    input: (node, name) => input(node, name),
    selected: (node, rule) => selected(node, rule),
    bundled: (node, key) => bundled(node, key),
  };
}

/** Whether a node has this key of a bundle itself. */
function sets(node: PromptNode, key: string): boolean {
  return node.links.has(key) || (node.literals.get(key) ?? null) !== null;
}

function onlyOf<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined;
}

/** The linked inputs that bring bundles in, in the rule's order, or by name for a prefix. */
export function bundleInputs(
  node: PromptNode,
  from: readonly string[] | { readonly prefix: string },
): string[] {
  if ('prefix' in from) return [...node.links.keys()].filter((name) => name.startsWith(from.prefix)).sort();
  return from.filter((name) => node.links.has(name));
}

function isScalar(value: unknown): value is string | number | boolean | ExactNumber {
  return (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    value instanceof ExactNumber ||
    (typeof value === 'number' && Number.isFinite(value))
  );
}
