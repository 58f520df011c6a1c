import { CONVENTIONAL_INPUTS, type NodeRule, type Stream, type Switch } from '../../rules/define.ts';
import type { WarningSink } from '../kit/warnings.ts';
import { bundleInputs } from './bundles.ts';
import type { Evaluator } from './evaluate.ts';
import type { PromptGraph, PromptNode } from './graph.ts';
import type { RuleBook } from './rule-book.ts';

/** Where a walk upstream stands: at a node, come through one of its outputs, on a stream. */
export type Arrival = {
  readonly node: PromptNode;
  readonly slot: number;
  readonly stream: Stream;
  /** Inside a bundle: the key that is wanted. */
  readonly key?: string;
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
  if (rule.pipe) return throughBundle(arrival, rule, context);
  if (rule.switch) return throughSwitch(arrival, rule, context);
  const inputs = rule.gives ? (rule.gives[arrival.slot] ?? []) : takes;
  return inputs.flatMap((input) => toStep(arrival, input, rule.takes?.[input] ?? 'same', context));
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
  { node, stream, key }: Arrival,
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
  const step = {
    node: source,
    slot: slotThatMatters(link.slot, book.get(source.classType)?.rule),
    stream: next,
    input,
  };
  return [key === undefined ? step : { ...step, key }];
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
  if (rule.pipe) return slot >= 0 && slot < rule.pipe.slots.length ? slot : -1;
  return rule.switch ? 0 : slot;
}

function throughSwitch(arrival: Arrival, rule: NodeRule, context: FlowContext): Step[] {
  const { evaluator, warn } = context;
  const chosen = evaluator.selected(arrival.node, rule);
  if (chosen !== undefined) return toStep(arrival, chosen, rule.takes?.[chosen] ?? 'same', context);
  if (rule.switch && 'first' in rule.switch) return [];
  warn('value/unresolved', 'the switch depends on a value that only a run knows', arrival.node.id);
  const inputs = Object.keys(rule.takes ?? {});
  const candidates = inputs.length > 0 ? inputs : [...arrival.node.links.keys()];
  return candidates.flatMap((input) => toStep(arrival, input, rule.takes?.[input] ?? 'same', context));
}

function throughBundle(arrival: Arrival, rule: NodeRule, context: FlowContext): Step[] {
  const { node, slot, stream } = arrival;
  const key = arrival.key ?? rule.pipe?.slots[slot];
  if (!key) {
    const bundles = new Set(rule.pipe ? bundleInputs(node, rule.pipe.from) : []);
    return [...node.links.keys()].flatMap((input) =>
      toStep(arrival, input, bundles.has(input) ? 'same' : conventional(input, stream), context),
    );
  }
  const source = context.evaluator.bundled(node, key);
  // From here on the key is found: what feeds it is no bundle any more.
  return source ? toStep({ node: source.node, slot, stream }, source.input, 'same', context) : [];
}

function byConvention(arrival: Arrival, context: FlowContext): Step[] {
  const { node, stream } = arrival;
  const inputs = [...node.links.keys()];
  const named = inputs.filter((input) => CONVENTIONAL_INPUTS[input] !== undefined);
  const own = named.filter((input) => conventional(input, stream) === stream);
  const unnamed = inputs.filter((input) => CONVENTIONAL_INPUTS[input] === undefined);
  const followed = UNMIXED.has(stream) ? (own.length > 0 ? own : unnamed) : inputs;
  return followed.flatMap((input) => toStep(arrival, input, conventional(input, stream), context));
}

/** `conditioning` is whichever side the walk is on; it is the positive one where the walk is on neither. */
function conventional(input: string, stream: Stream): Stream {
  if (input === 'conditioning' && stream === 'negative') return 'negative';
  return CONVENTIONAL_INPUTS[input] ?? stream;
}
