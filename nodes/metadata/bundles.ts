import type { NodeRule } from '../../rules/define.ts';
import type { Answers, Memo } from './answers.ts';
import type { PromptGraph, PromptNode } from './graph.ts';
import { numberedInputs } from './numbered-inputs.ts';
import type { RuleBook } from './rule-book.ts';

/** An input, and the node it is on. */
export type NodeInput = { readonly node: PromptNode; readonly input: string };

/** Where a key of a bundle comes from: an input that sets it, or an output of a node that makes it. */
export type BundleSource = NodeInput | { readonly node: PromptNode; readonly slot: number };

/** Tells which input a switch hands on, undefined where only a run could. */
export type Selector = (node: PromptNode, rule: NodeRule, depth: number) => string | undefined;

/** Where bundles get their keys from, on the node that is asked or on one further up. */
export type BundleFinder = {
  /** A key of the bundle that a node hands on. */
  readonly handedOn: (start: PromptNode, key: string, depth: number) => BundleSource | undefined;
  /** A key of the bundle that comes into a node: without what the node makes itself. */
  readonly comingIn: (start: PromptNode, key: string, depth: number) => ComingIn | undefined;
};

/** Where a key comes from, and the input of the asking node that it comes in by. */
type ComingIn = { readonly source: BundleSource; readonly input: string };

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
  const memos = new Map<string, Memo<PromptNode, BundleSource | undefined>>();
  function memoOf(key: string): Memo<PromptNode, BundleSource | undefined> {
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
        known ??
        (rule && !rule.switch && !own(node, rule, key) ? onlyOf(bundlesOf(node, rule, 0)) : undefined);
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
    const names = bundleNames(node, rule, depth);
    return names.flatMap((name) => graph.get(node.links.get(name)?.from ?? '') ?? []);
  }

  /** The inputs they come in by. */
  function bundleNames(node: PromptNode, rule: NodeRule, depth: number): string[] {
    const pipe = rule.pipe;
    const chosen = rule.switch ? [selected(node, rule, depth) ?? ''] : undefined;
    const names =
      chosen ??
      (pipe ? bundleInputs(node, pipe.from) : (rule.gives?.flat() ?? Object.keys(rule.takes ?? {})));
    return pipe?.prefer === 'last' ? names.toReversed() : names;
  }

  /** Depth first with an explicit stack; what is told of the nodes on the way is remembered with the answer. */
  function handedOn(start: PromptNode, key: string, depth: number): BundleSource | undefined {
    const before = answers.cuts();
    const keep = (node: PromptNode, found: BundleSource | undefined): void =>
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
          const rule = book.get(node.classType)?.rule;
          const here = own(node, rule, key);
          const known = here ? { value: here } : memoOf(key).known(node);
          if (known?.value) {
            for (const each of way) keep(each.node, known.value);
            // In a circle, what failed may have failed only because its way on was taken already.
            if (!isCircular) for (const each of done) keep(each, undefined);
            return known.value;
          }
          if (rule && !known) {
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

  function comingIn(start: PromptNode, key: string, depth: number): ComingIn | undefined {
    const rule = book.get(start.classType)?.rule;
    const set = setting(start, rule, key);
    if (set) return { source: set, input: set.input };
    for (const input of rule ? bundleNames(start, rule, depth) : []) {
      const bundle = graph.get(start.links.get(input)?.from ?? '');
      const source = bundle && handedOn(bundle, key, depth);
      if (source) return { source, input };
    }
    return undefined;
  }

  return { handedOn, comingIn };
}

/** The linked inputs that bring bundles in, in the rule's order, or by number for a prefix. */
export function bundleInputs(
  node: PromptNode,
  from: readonly string[] | { readonly prefix: string },
): string[] {
  if ('prefix' in from) return numberedInputs(node.links.keys(), from.prefix);
  return from.filter((name) => node.links.has(name));
}

/** What a node itself puts into the bundle under this key. */
function own(node: PromptNode, rule: NodeRule | undefined, key: string): BundleSource | undefined {
  const slot = rule?.pipe?.makes?.[key];
  return slot === undefined ? setting(node, rule, key) : { node, slot };
}

/** The input of a node that sets this key; an empty text sets none. */
function setting(node: PromptNode, rule: NodeRule | undefined, key: string): NodeInput | undefined {
  const input = rule?.pipe?.keys?.[key] ?? key;
  const literal = node.literals.get(input) ?? null;
  const isSet = node.links.has(input) || (literal !== null && literal !== '');
  return isSet ? { node, input } : undefined;
}

function onlyOf<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined;
}
