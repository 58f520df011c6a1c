import type { NodeRule } from '../../rules/define.ts';
import { ExactNumber, type Json } from '../kit/exact-json.ts';
import { createAnswers } from './answers.ts';
import { type BundleSource, createBundleFinder, type NodeInput } from './bundles.ts';
import type { Link, NodeId, PromptGraph, PromptNode } from './graph.ts';
import { asText, compute, type SimpleOperand } from './operations.ts';
import { candidatesOf, createPresence } from './presence.ts';
import { createTextBudget } from './python-text.ts';
import { bundleKeyAt, type RuleBook, switchesAt } from './rule-book.ts';

/** A value found without running anything, and the nodes it came through, origin first. */
type Found = { readonly value: Json; readonly through: readonly NodeId[] };

/** Values that a run produced, where a host has them; they win over the static answer. */
export type ExecutedValues = (nodeId: NodeId, slot: number) => unknown;

export type Evaluator = {
  /** The value of a node's input: its literal, or what its link gives. Undefined when only a run could tell. */
  input(node: PromptNode, name: string): Found | undefined;
  /** What a node put out at a slot when it ran; undefined where it has not, or nothing is known of it. */
  put(node: PromptNode, slot: number): Json | undefined;
  /** The input a switch hands on. Undefined when only a run could tell, or where a switch by `first` has nothing. */
  selected(node: PromptNode, rule: NodeRule): string | undefined;
  /** Where a key of the bundle that a node hands on comes from. */
  bundled(node: PromptNode, key: string): BundleSource | undefined;
  /** Where a key of the bundle that comes into a node comes from. */
  unpacked(node: PromptNode, key: string): BundleSource | undefined;
  /**
   * The value under a key of the bundle that comes into a node, with the nodes it came through, that which sets it
   * last, and the input it comes in by.
   */
  keyed(node: PromptNode, key: string): (Found & { readonly input: string }) | undefined;
};

/** No graph that people wire passes one value through so many nodes; deeper is answered with "unknown". */
const MAX_VALUE_DEPTH = 256;

/**
 * Evaluates strings, numbers, switches and bundles of a prompt graph statically, by rule. Answers are
 * remembered, so that a shared chain is walked once.
 */
export function createEvaluator(graph: PromptGraph, book: RuleBook, executed?: ExecutedValues): Evaluator {
  const answers = createAnswers();
  const values = answers.createMemo<string, Found | undefined>();
  const choices = answers.createMemo<PromptNode, string | undefined>();
  const outerChoices = new Map<PromptNode, string | undefined>();
  const candidates = new Map<PromptNode, readonly NodeInput[]>();
  const budget = createTextBudget();
  const open = new Set<string>();
  const bundles = createBundleFinder(graph, book, selected, answers);
  const hasValue = createPresence(graph, book, {
    maxDepth: MAX_VALUE_DEPTH,
    wasExecuted: (link) => executedValue(link) !== undefined,
    selected,
    bundled: bundles.handedOn,
    candidates: candidatesAt,
    answers,
  });

  function input(node: PromptNode, name: string, depth = 0): Found | undefined {
    const literal = node.literals.get(name);
    if (literal !== undefined) return { value: literal, through: [] };
    const link = node.links.get(name);
    return link && output(link, depth + 1);
  }

  function output(link: Link, depth: number): Found | undefined {
    const key = `${link.from}\n${link.slot}`;
    return values.ask(key, () => {
      if (open.has(key) || depth > MAX_VALUE_DEPTH) {
        answers.cut();
        return undefined;
      }
      open.add(key);
      const found = executedValue(link) ?? staticValue(link, depth);
      open.delete(key);
      return found;
    });
  }

  function executedValue(link: Link): Found | undefined {
    const value = executed?.(link.from, link.slot);
    return isScalar(value) ? { value, through: [link.from] } : undefined;
  }

  function staticValue(link: Link, depth: number): Found | undefined {
    const node = graph.get(link.from);
    const rule = node && book.get(node.classType)?.rule;
    if (!node || !rule) return undefined;
    const found = valueByRule(node, rule, link.slot, depth);
    return found && { value: found.value, through: [...found.through, node.id] };
  }

  function valueByRule(node: PromptNode, rule: NodeRule, slot: number, depth: number): Found | undefined {
    const key = bundleKeyAt(rule, slot);
    if (key !== undefined) {
      const source = key === '' ? undefined : bundles.handedOn(node, key, depth);
      return source && sourceValue(source, depth + 1);
    }
    if (switchesAt(rule, slot)) {
      const chosen = selected(node, rule, depth);
      return chosen === undefined ? undefined : input(node, chosen, depth);
    }
    const operation = rule.computes?.[slot];
    if (operation) {
      // A node that is joined with itself stands here once.
      const through = new Set<NodeId>();
      const value = compute(
        operation,
        [...node.literals.keys(), ...node.links.keys()],
        (operand) => {
          const found = operandValue(node, operand, depth);
          for (const id of found?.through ?? []) through.add(id);
          return found?.value;
        },
        budget,
      );
      return value === undefined ? undefined : { value, through: [...through] };
    }
    const passed = rule.gives?.[slot];
    const only = passed?.length === 1 ? passed[0] : undefined;
    return only === undefined ? undefined : input(node, only, depth);
  }

  function sourceValue(source: BundleSource, depth: number): Found | undefined {
    return 'input' in source
      ? input(source.node, source.input, depth)
      : output({ from: source.node.id, slot: source.slot }, depth);
  }

  /** What is set on another node came through that node. */
  function keyed(node: PromptNode, key: string): (Found & { readonly input: string }) | undefined {
    const coming = bundles.comingIn(node, key, 0);
    const found = coming && sourceValue(coming.source, 1);
    if (!found) return undefined;
    const { source, input } = coming;
    const isToldOf = source.node === node || found.through.at(-1) === source.node.id;
    return { ...found, input, through: isToldOf ? found.through : [...found.through, source.node.id] };
  }

  function operandValue(node: PromptNode, operand: SimpleOperand, depth: number): Found | undefined {
    if ('value' in operand) return { value: operand.value, through: [] };
    const { input: name, default: fallback } = operand;
    const isAbsent = !node.literals.has(name) && !node.links.has(name);
    if (isAbsent && fallback !== undefined) return { value: fallback, through: [] };
    return input(node, name, depth);
  }

  function candidatesAt(node: PromptNode, prefix: string): readonly NodeInput[] {
    const known = candidates.get(node) ?? candidatesOf(node, prefix);
    candidates.set(node, known);
    return known;
  }

  function selected(node: PromptNode, rule: NodeRule, depth: number): string | undefined {
    return choices.ask(node, () => choose(node, rule, depth));
  }

  /** A question from outside has one answer, also where it is cut short. */
  function selectedOutside(node: PromptNode, rule: NodeRule): string | undefined {
    if (outerChoices.has(node)) return outerChoices.get(node);
    const chosen = answers.question(() => selected(node, rule, 0));
    outerChoices.set(node, chosen);
    return chosen;
  }

  function choose(node: PromptNode, rule: NodeRule, depth: number): string | undefined {
    const how = rule.switch;
    if (!how) return undefined;
    if ('first' in how) return candidatesAt(node, how.first).find((at) => hasValue(at, depth))?.input;
    const by = input(node, how.by, depth + 1);
    if (!by) return undefined;
    const text = asText(by.value);
    return 'prefix' in how ? `${how.prefix}${text}` : how.cases[text];
  }

  return {
    input: (node, name) => answers.question(() => input(node, name)),
    put: (node, slot) => executedValue({ from: node.id, slot })?.value,
    selected: selectedOutside,
    bundled: (node, key) => answers.question(() => bundles.handedOn(node, key, 0)),
    unpacked: (node, key) => answers.question(() => bundles.comingIn(node, key, 0)?.source),
    keyed: (node, key) => answers.question(() => keyed(node, key)),
  };
}

function isScalar(value: unknown): value is string | number | boolean | ExactNumber {
  return (
    typeof value === 'string' ||
    typeof value === 'boolean' ||
    value instanceof ExactNumber ||
    (typeof value === 'number' && Number.isFinite(value))
  );
}
