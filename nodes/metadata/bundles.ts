import type { NodeRule } from '../../rules/define.ts';
import type { Answers, Memo } from './answers.ts';
import type { PromptGraph, PromptNode } from './graph.ts';
import { numberedInputs } from './numbered-inputs.ts';
import type { RuleBook } from './rule-book.ts';

/** An input, and the node it is on. */
export type NodeInput = { readonly node: PromptNode; readonly input: string };

/** Tells which input a switch hands on, undefined where only a run could. */
export type Selector = (node: PromptNode, rule: NodeRule, depth: number) => string | undefined;

/** Where a bundle gets a key from: the input that sets it, on this node or on one further up. */
export type BundleFinder = (start: PromptNode, key: string, depth: number) => NodeInput | undefined;

/**
 * Makes the search through bundles of a graph. It is iterative, and what a long chain passes on is remembered.
 *
 * @param selected asked at switches between bundles, with the depth that the search was given
 */
export function createBundleFinder(
  graph: PromptGraph,
  book: RuleBook,
  selected: Selector,
  answers: Answers,
): BundleFinder {
  const memos = new Map<string, Memo<PromptNode, NodeInput | undefined>>();
  function memoOf(key: string): Memo<PromptNode, NodeInput | undefined> {
    const memo = memos.get(key) ?? answers.createMemo();
    memos.set(key, memo);
    return memo;
  }

  const skipsByKey = new Map<string, Map<PromptNode, PromptNode>>();

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

  /** Depth first with an explicit stack; what is told of the nodes on the way is remembered with the answer. */
  function search(start: PromptNode, key: string, depth: number): NodeInput | undefined {
    const before = answers.cuts();
    const keep = (node: PromptNode, found: NodeInput | undefined): void =>
      memoOf(key).keep(node, found, before);
    const way: { readonly node: PromptNode; readonly rest: PromptNode[] }[] = [];
    const isOnWay = new Set<PromptNode>();
    const done = new Set<PromptNode>();
    let isCircular = false;
    let next: PromptNode | undefined = start;
    while (next || way.length > 0) {
      if (next) {
        const node = skipPlain(next, key);
        next = undefined;
        if (isOnWay.has(node)) isCircular = true;
        else if (!done.has(node)) {
          const known = sets(node, key) ? { value: { node, input: key } } : memoOf(key).known(node);
          if (known?.value) {
            for (const each of way) keep(each.node, known.value);
            // In a circle, what failed may have failed only because its way on was taken already.
            if (!isCircular) for (const each of done) keep(each, undefined);
            return known.value;
          }
          const rule = known ? undefined : book.get(node.classType)?.rule;
          if (rule) {
            way.push({ node, rest: bundlesOf(node, rule, depth).reverse() });
            isOnWay.add(node);
          } else done.add(node);
        }
      }
      const top = way.at(-1);
      if (!top) continue;
      next = top.rest.pop();
      if (next) continue;
      way.pop();
      isOnWay.delete(top.node);
      done.add(top.node);
    }
    for (const each of done) keep(each, undefined);
    return undefined;
  }

  return search;
}

/** The linked inputs that bring bundles in, in the rule's order, or by number for a prefix. */
export function bundleInputs(
  node: PromptNode,
  from: readonly string[] | { readonly prefix: string },
): string[] {
  if ('prefix' in from) return numberedInputs(node.links.keys(), from.prefix);
  return from.filter((name) => node.links.has(name));
}

/** Whether a node has this key of a bundle itself. */
function sets(node: PromptNode, key: string): boolean {
  return node.links.has(key) || (node.literals.get(key) ?? null) !== null;
}

function onlyOf<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined;
}
