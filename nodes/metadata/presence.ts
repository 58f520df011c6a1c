import type { Answers } from './answers.ts';
import {
  type BundleFinder,
  type BundleSource,
  bundleInputs,
  type NodeInput,
  type Selector,
} from './bundles.ts';
import type { Link, PromptGraph, PromptNode } from './graph.ts';
import { numberedInputs } from './numbered-inputs.ts';
import { bundleKeyAt, type RuleBook, switchesAt } from './rule-book.ts';

/** What is asked on the way: how deep is too deep, which input a switch hands on, where a bundle has a key. */
type Asked = {
  readonly maxDepth: number;
  readonly wasExecuted: (link: Link) => boolean;
  readonly selected: Selector;
  readonly bundled: BundleFinder['handedOn'];
  readonly candidates: (node: PromptNode, prefix: string) => readonly NodeInput[];
  readonly answers: Answers;
};

/** A link of a search, and the one that led to it. */
type Trail = { readonly link: Link; readonly behind?: Trail };

/** Whether an input of a node has a value as far as can be told without a run. */
export type Presence = (at: NodeInput, depth: number) => boolean;

/**
 * Tells whether an input has a value, for switches that hand on the first that has one. A literal has, unless it is
 * null or empty. A link has, unless all it leads to are bundles without that key, bundles without any, and switches
 * with nothing to hand on.
 */
export function createPresence(graph: PromptGraph, book: RuleBook, asked: Asked): Presence {
  const { answers } = asked;
  const presences = answers.createMemo<string, boolean>();
  const searching = new Set<string>();

  function carries(start: Link, depth: number): boolean {
    const known = presences.known(keyOf(start));
    if (known) return known.value;
    if (depth > asked.maxDepth) {
      answers.cut();
      return true;
    }
    if (searching.has(keyOf(start))) {
      // Nothing new comes out of a circle.
      answers.cut();
      return false;
    }
    searching.add(keyOf(start));
    const found = search(start, depth);
    searching.delete(keyOf(start));
    return found;
  }

  function search(start: Link, depth: number): boolean {
    const before = answers.cuts();
    const seen = new Set([keyOf(start)]);
    const waiting: Trail[] = [{ link: start }];
    for (let trail = waiting.pop(); trail; trail = waiting.pop()) {
      const sources = open(trail.link, depth);
      const links =
        sources === 'a value' ? [] : sources.flatMap(({ node, input }) => node.links.get(input) ?? []);
      if (sources === 'a value' || links.some((link) => presences.known(keyOf(link))?.value)) {
        for (let at: Trail | undefined = trail; at; at = at.behind)
          presences.keep(keyOf(at.link), true, before);
        return true;
      }
      for (const link of links) {
        if (seen.has(keyOf(link)) || presences.known(keyOf(link))) continue;
        seen.add(keyOf(link));
        waiting.push({ link, behind: trail });
      }
    }
    for (const key of seen) presences.keep(key, false, before);
    return false;
  }

  /** The inputs one of which must have a value for this link to have one. */
  function open(link: Link, depth: number): readonly NodeInput[] | 'a value' {
    const node = graph.get(link.from);
    const rule = node && book.get(node.classType)?.rule;
    if (!node || !rule || asked.wasExecuted(link)) return 'a value';
    const key = bundleKeyAt(rule, link.slot);
    if (key) {
      const source = asked.bundled(node, key, depth + 1);
      return source ? unlessLiteral([source]) : [];
    }
    if (rule.pipe && (key === '' || !rule.pipe.makes)) {
      if (rule.pipe.makes) return 'a value';
      const keys = rule.pipe.slots.flatMap((name) => (name ? [rule.pipe?.keys?.[name] ?? name] : []));
      return unlessLiteral(
        [...keys, ...bundleInputs(node, rule.pipe.from)].map((input) => ({ node, input })),
      );
    }
    if (!rule.switch || !switchesAt(rule, link.slot)) return 'a value';
    if ('first' in rule.switch) return unlessLiteral(asked.candidates(node, rule.switch.first));
    const input = asked.selected(node, rule, depth + 1);
    return input === undefined ? 'a value' : unlessLiteral([{ node, input }]);
  }

  return ({ node, input }, depth) => {
    const link = node.links.get(input);
    return link ? carries(link, depth + 1) : hasLiteral({ node, input });
  };
}

/** The inputs that a switch by `first` chooses from, in the order it asks them. */
export function candidatesOf(node: PromptNode, prefix: string): NodeInput[] {
  const names = [...node.literals.keys(), ...node.links.keys()];
  return numberedInputs(names, prefix).map((input) => ({ node, input }));
}

/** An output that a node makes is a value; so is a literal. */
function unlessLiteral(sources: readonly BundleSource[]): readonly NodeInput[] | 'a value' {
  const inputs = sources.filter((source) => 'input' in source);
  return inputs.length < sources.length || inputs.some(hasLiteral) ? 'a value' : inputs;
}

function hasLiteral({ node, input }: NodeInput): boolean {
  const literal = node.literals.get(input) ?? null;
  return literal !== null && literal !== '';
}

function keyOf({ from, slot }: Link): string {
  return `${from}\n${slot}`;
}
