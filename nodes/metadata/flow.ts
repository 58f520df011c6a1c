import { CONVENTIONAL_INPUTS, type NodeRule, type Stream, type Switch } from '../../rules/define.ts';
import type { WarningSink } from '../kit/warnings.ts';
import { type BundleSource, bundleInputs } from './bundles.ts';
import { holds } from './conditions.ts';
import type { Evaluator } from './evaluate.ts';
import type { PromptGraph, PromptNode } from './graph.ts';
import { bundleKeyAt, type RuleBook, switchesAt } from './rule-book.ts';

/** Where a walk upstream stands: at a node, come through one of its outputs, on a stream. */
export type Arrival = {
  readonly node: PromptNode;
  readonly slot: number;
  readonly stream: Stream;
};

/** One step further upstream, and the input it goes through. */
export type Step = Arrival & { readonly input: string };

/** What the flow through a graph depends on. */
export type FlowContext = {
  readonly graph: PromptGraph;
  readonly book: RuleBook;
  readonly evaluator: Evaluator;
  readonly warn: WarningSink;
};

/** Streams that run unmixed through a node: what arrives on `model` came in on `model`. */
const UNMIXED: ReadonlySet<Stream> = new Set([
  'model',
  'clip',
  'vae',
  'positive',
  'negative',
  'control',
  'noise',
  'sigmas',
  'sampler',
  'guider',
  'upscale',
]);

/**
 * The places a stream comes from, one link up, as the rules say: routed by slot, chosen by a switch, unpacked
 * from a bundle. An unknown class type is followed by the conventional names of its inputs.
 */
export function stepUpstream(arrival: Arrival, context: FlowContext): Step[] {
  const booked = context.book.get(arrival.node.classType);
  if (!booked) return byConvention(arrival, context);
  const { rule, takes } = booked;
  if (rule.pipe && !isOwnSlot(rule, arrival.slot)) return throughBundle(arrival, rule, context);
  if (switchesAt(rule, arrival.slot)) return throughSwitch(arrival, rule, context);
  const names = rule.gives ? (rule.gives[arrival.slot] ?? []) : takes;
  return names.flatMap((name) => {
    if (!isFollowed(arrival.node, rule, name, context)) return [];
    const used = rule.uses?.[name];
    return used ? unpack(arrival, name, used, context) : through(arrival, rule, name, context);
  });
}

/** Whether an output of a node that deals with bundles is no part of one. */
function isOwnSlot(rule: NodeRule, slot: number): boolean {
  return rule.pipe?.slots[slot] === null || isMade(rule, slot);
}

function isMade(rule: NodeRule, slot: number): boolean {
  return bundleKeyAt(rule, slot) === undefined && Object.values(rule.pipe?.makes ?? {}).includes(slot);
}

function isFollowed(node: PromptNode, { only }: NodeRule, name: string, { evaluator }: FlowContext): boolean {
  return holds(only?.[name], node, (input) => evaluator.input(node, input)?.value);
}

/** Through an input, on the stream or streams that the rule says. */
function through(arrival: Arrival, rule: NodeRule, input: string, context: FlowContext): Step[] {
  const onto = rule.takes?.[input] ?? 'same';
  return typeof onto === 'string'
    ? toStep(arrival, input, onto, context)
    : onto.flatMap((each) => toStep(arrival, input, each, context));
}

/** To where a key of the bundle that comes in was set. */
function unpack({ node, slot, stream }: Arrival, key: string, onto: Stream, context: FlowContext): Step[] {
  const next = stream === 'reference' ? stream : onto;
  return toSource({ node, slot, stream: next }, context.evaluator.unpacked(node, key), context);
}

/** From here on the key is found: what feeds it is no bundle any more. */
function toSource({ slot, stream }: Arrival, source: BundleSource | undefined, context: FlowContext): Step[] {
  if (!source) return [];
  const { node } = source;
  if ('input' in source) return toStep({ node, slot, stream }, source.input, 'same', context);
  return [{ node, slot: source.slot, stream, input: '' }];
}

/** Whether a link can carry anything: not the branches that a switch leaves out. */
export function isLive(node: PromptNode, input: string, { book, evaluator }: FlowContext): boolean {
  const rule = book.get(node.classType)?.rule;
  if (!rule?.switch) return true;
  if ('by' in rule.switch && rule.switch.by === input) return true;
  const chosen = evaluator.selected(node, rule);
  return chosen === undefined || chosen === input || !isBranch(input, rule.switch);
}

/** A switch may have other inputs than its branches. */
function isBranch(input: string, how: Switch): boolean {
  if ('first' in how) return input.startsWith(how.first);
  return 'prefix' in how ? input.startsWith(how.prefix) : Object.values(how.cases).includes(input);
}

function toStep(
  { node, stream }: Arrival,
  input: string,
  onto: Stream | 'same',
  { graph, book, warn }: FlowContext,
): Step[] {
  const link = node.links.get(input);
  if (!link) {
    if (onto !== 'same' && onto !== 'value' && holdsText(node, input))
      warn('value/wrong-type', `expected a link for ${input}, got a value`, `${node.id}.${input}`);
    return [];
  }
  const source = graph.get(link.from);
  if (!source) return [];
  // What is behind a reference only guides, whatever it is made of.
  const next = onto === 'same' || stream === 'reference' ? stream : onto;
  const slot = slotThatMatters(link.slot, book.get(source.classType)?.rule);
  return [{ node: source, slot, stream: next, input }];
}

/** No placeholder: a text or the like stands where only a link makes sense. */
function holdsText(node: PromptNode, input: string): boolean {
  const literal = node.literals.get(input) ?? null;
  return literal !== null && literal !== '' && literal !== 'None';
}

/**
 * Where a node is followed the same way whatever the slot, all its slots are one: a node with thousands of inputs
 * that is asked for thousands of slots would be listed once for each.
 */
function slotThatMatters(slot: number, rule: NodeRule | undefined): number {
  if (!rule) return 0;
  if (rule.pipe) return (slot >= 0 && slot < rule.pipe.slots.length) || isMade(rule, slot) ? slot : -1;
  return rule.switch && !rule.switch.slots ? 0 : slot;
}

function throughSwitch(arrival: Arrival, rule: NodeRule, context: FlowContext): Step[] {
  const { evaluator, warn } = context;
  const chosen = evaluator.selected(arrival.node, rule);
  if (chosen !== undefined) return through(arrival, rule, chosen, context);
  if (rule.switch && 'first' in rule.switch) return [];
  warn('value/unresolved', 'the switch depends on a value that only a run knows', arrival.node.id);
  const inputs = Object.keys(rule.takes ?? {});
  const candidates = inputs.length > 0 ? inputs : [...arrival.node.links.keys()];
  return candidates.flatMap((input) => through(arrival, rule, input, context));
}

function throughBundle(arrival: Arrival, rule: NodeRule, context: FlowContext): Step[] {
  const { node, stream } = arrival;
  const key = bundleKeyAt(rule, arrival.slot);
  if (!key) {
    const bundles = new Set(rule.pipe ? bundleInputs(node, rule.pipe.from) : []);
    return [...node.links.keys()].flatMap((input) =>
      toStep(arrival, input, bundles.has(input) ? 'same' : conventional(input, stream), context),
    );
  }
  return toSource(arrival, context.evaluator.bundled(node, key), context);
}

function byConvention(arrival: Arrival, context: FlowContext): Step[] {
  const { node, stream } = arrival;
  const inputs = [...node.links.keys()];
  const named = inputs.filter((input) => streamByName(input) !== undefined);
  const own = named.filter((input) => conventional(input, stream) === stream);
  const unnamed = inputs.filter((input) => streamByName(input) === undefined);
  const followed = UNMIXED.has(stream) ? (own.length > 0 ? own : unnamed) : inputs;
  return followed.flatMap((input) => toStep(arrival, input, conventional(input, stream), context));
}

/** `conditioning` is whichever side the walk is on; it is the positive one where the walk is on neither. */
function conventional(input: string, stream: Stream): Stream {
  if (input === 'conditioning' && stream === 'negative') return 'negative';
  return streamByName(input) ?? stream;
}

/** A graph may call an input `constructor`. */
function streamByName(input: string): Stream | undefined {
  return Object.hasOwn(CONVENTIONAL_INPUTS, input) ? CONVENTIONAL_INPUTS[input] : undefined;
}
