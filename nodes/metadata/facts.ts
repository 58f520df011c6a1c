import type { Condition, ItemCondition, MetaField, Place } from '../../rules/define.ts';
import { LineageError } from '../kit/errors.ts';
import { ExactNumber, type Json } from '../kit/exact-json.ts';
import { isRecord } from '../kit/is-record.ts';
import { holds } from './conditions.ts';
import type { Arrival, FlowContext } from './flow.ts';
import type { NodeId, PromptNode } from './graph.ts';
import { loraTags } from './lora-tags.ts';
import { type FactValue, normaliseValue } from './normalise.ts';
import { asText } from './operations.ts';
import { applies, type BookedRule, type FieldPlaces } from './rule-book.ts';

/** One thing known of how the picture was made, and who says so. */
export type Fact = {
  readonly field: MetaField;
  readonly value: FactValue;
  /** The node whose rule gave it. */
  readonly nodeId: NodeId;
  readonly classType: string;
  /** The input it was read from; '' for a constant. */
  readonly input: string;
  readonly rule: string;
  /** Pairs the facts of one entry: the third LoRA's name with the third strength. */
  readonly item: string;
  /** Nodes the value came through before it reached `nodeId`, origin first. */
  readonly through: readonly NodeId[];
  readonly place: Place;
};

/** A raw value of a place before it is normalised. */
type Raw = {
  readonly value: Json;
  readonly input: string;
  readonly item: string;
  readonly through: readonly NodeId[];
};

/** Which of a node's places count at an arrival: by stream and slot, or, for a node that is another sampler, only
 * those that name the stream. */
export type PlaceFilter = (place: Place) => boolean;

export function placesAt(arrival: Arrival): PlaceFilter {
  return (place) => applies(place, arrival.stream, arrival.slot);
}

/** Reads every fact that a node's rule gives under this filter. */
export function readFacts(
  node: PromptNode,
  booked: BookedRule,
  counts: PlaceFilter,
  context: FlowContext,
): Fact[] {
  const facts: Fact[] = [];
  for (const read of booked.reads) {
    // Several places for one field are alternatives: the first that has a value for an item gives it.
    const items = read.places.length > 1 ? new Set<string>() : undefined;
    const before = facts.length;
    let isPutOut = false;
    for (const place of read.places) {
      if (!counts(place)) continue;
      isPutOut ||= 'output' in place;
      const from = facts.length;
      for (const raw of valuesThatCount(node, place, context)) {
        const fact = items?.has(raw.item) ? undefined : toFact(node, read, place, raw, context);
        if (fact) facts.push(fact);
      }
      for (let i = from; items && i < facts.length; i++) items.add(facts[i]?.item ?? '');
    }
    if (isPutOut && facts.length === before)
      context.warn('value/unresolved', `${node.classType} makes its ${read.field} when it runs`, node.id);
  }
  return withoutOrphanStrengths(facts);
}

/** The strength of an entry whose file is "None" tells nothing. */
function withoutOrphanStrengths(facts: Fact[]): Fact[] {
  const isStrength = ({ field }: Fact): boolean =>
    field === 'LORA_STRENGTH_MODEL' || field === 'LORA_STRENGTH_CLIP';
  if (!facts.some(isStrength)) return facts;
  const named = new Set(facts.filter(({ field }) => field === 'LORA_MODEL_NAME').map(({ item }) => item));
  return facts.filter((fact) => !isStrength(fact) || named.has(fact.item));
}

function toFact(
  node: PromptNode,
  { field, id: rule }: FieldPlaces,
  place: Place,
  raw: Raw,
  { warn }: FlowContext,
): Fact | undefined {
  const { value, input, item, through } = raw;
  const normalised = normaliseValue(field, value, place.normalise);
  if (normalised.kind === 'absent') return undefined;
  if (normalised.kind === 'not-a-number') {
    warn('value/not-a-number', `${field} expects a number, got ${asText(value)}`, `${node.id}.${input}`);
    return undefined;
  }
  if (normalised.kind === 'wrong-type') {
    const got = Array.isArray(value) ? 'a list' : 'an object';
    warn('value/wrong-type', `${field} expects one value, got ${got}`, `${node.id}.${input}`);
    return undefined;
  }
  return {
    field,
    value: normalised.value,
    nodeId: node.id,
    classType: node.classType,
    input,
    rule,
    item,
    through,
    place,
  };
}

function valuesThatCount(node: PromptNode, place: Place, context: FlowContext): Raw[] {
  if (place.if === undefined) return rawValues(node, place, context);
  const { if: conditions } = place;
  const ask = (name: string): Json | undefined => context.evaluator.input(node, name)?.value;
  // Conditions on the node itself come first: an input that does not count need not have a value.
  const [all, each] = split(conditions);
  if (!holds(all, node, ask)) return [];
  const raws = rawValues(node, place, context);
  return each.length === 0 ? raws : raws.filter(({ item }) => holds(each, node, ask, item));
}

function split(conditions: NonNullable<Place['if']>): [readonly Condition[], readonly ItemCondition[]] {
  const list = [conditions].flat();
  return [list.filter((each) => 'input' in each), list.filter((each) => 'prefix' in each)];
}

function rawValues(node: PromptNode, place: Place, context: FlowContext): Raw[] {
  if ('value' in place) return [{ value: place.value, input: '', item: '', through: [] }];
  if ('output' in place) return readOutput(node, place.output, context);
  if ('input' in place) return readInput(node, place.input, '', context);
  if ('inputs' in place) return readSeveral(node, place.inputs, place.join, context);
  if ('prefix' in place) {
    return readPrefixed(node, place, context);
  }
  if ('list' in place) return readList(node, place, context);
  if ('tags' in place) return readTags(node, place.tags, place.part, context);
  if ('entries' in place) return readEntries(node, place.entries, place.key, place.when);
  return readKey(node, place.key, context);
}

function readKey(node: PromptNode, key: string, { evaluator }: FlowContext): Raw[] {
  const found = evaluator.keyed(node, key);
  return found ? [{ ...found, item: '' }] : [];
}

/** With `count`, an input: only the items 1 to its value. */
function readPrefixed(
  node: PromptNode,
  { prefix, suffix = '', count }: Extract<Place, { readonly prefix: string }>,
  context: FlowContext,
): Raw[] {
  const counted = count === undefined ? undefined : context.evaluator.input(node, count)?.value;
  const most = counted === undefined ? Number.POSITIVE_INFINITY : Number(asText(counted));
  return [...node.literals.keys(), ...node.links.keys()].flatMap((name) => {
    const isItem = name.startsWith(prefix) && name.endsWith(suffix);
    if (!isItem || name.length < prefix.length + suffix.length) return [];
    const item = name.slice(prefix.length, name.length - suffix.length);
    return count !== undefined && !(Number(item) <= most) ? [] : readInput(node, name, item, context);
  });
}

function readInput(node: PromptNode, name: string, item: string, { evaluator, warn }: FlowContext): Raw[] {
  const found = evaluator.input(node, name);
  if (found) return [{ value: found.value, input: name, item, through: found.through }];
  const link = node.links.get(name);
  if (link)
    warn(
      'value/unresolved',
      `the value comes from node ${link.from}, which cannot be evaluated`,
      `${node.id}.${name}`,
    );
  return [];
}

function readOutput(node: PromptNode, slot: number, { evaluator }: FlowContext): Raw[] {
  const value = evaluator.put(node, slot);
  return value === undefined ? [] : [{ value, input: '', item: '', through: [] }];
}

/** With `join`: one text of the distinct non-empty parts. Without: one value each, keyed by position. */
function readSeveral(
  node: PromptNode,
  names: readonly string[],
  join: string | undefined,
  context: FlowContext,
): Raw[] {
  const raws = names.flatMap((name, index) => readInput(node, name, String(index), context));
  if (join === undefined || raws.length === 0) return raws;
  const parts = new Set(raws.map((raw) => asText(raw.value)).filter((part) => part.trim() !== ''));
  const through = raws.flatMap((raw) => raw.through);
  const input = raws.map((raw) => raw.input).join('+');
  return [{ value: [...parts].join(join), input, item: '', through }];
}

function readList(
  node: PromptNode,
  { list, at, when }: Extract<Place, { readonly list: string }>,
  context: FlowContext,
): Raw[] {
  return readInput(node, list, '', context).flatMap((raw) => {
    if (!Array.isArray(raw.value)) return [];
    return raw.value.flatMap((entry: Json, index: number) => {
      if (when !== undefined && member(entry, when) !== true) return [];
      const value = at === undefined ? entry : member(entry, at);
      return value === undefined ? [] : [{ ...raw, value, item: String(index) }];
    });
  });
}

/** Tags of several texts count on, so that each LoRA is an item of its own. */
function readTags(
  node: PromptNode,
  names: string | readonly string[],
  part: 'name' | 'model' | 'clip',
  context: FlowContext,
): Raw[] {
  function tagsOf(raw: Raw): Raw[] {
    if (typeof raw.value !== 'string') return [];
    const tags = loraTags(raw.value, (left) => {
      const message = `${left} LoRAs of the text are left out`;
      context.warn('value/cut', message, `${node.id}.${raw.input}`);
    });
    return tags.map((tag): Raw => ({ ...raw, value: tag[part] }));
  }
  return [names]
    .flat()
    .flatMap((name) => readInput(node, name, '', context))
    .flatMap(tagsOf)
    .map((raw, index) => ({ ...raw, item: String(index) }));
}

function readEntries(node: PromptNode, prefix: string, key: string, when: string | undefined): Raw[] {
  return [...node.literals].flatMap(([name, entry]) => {
    if (!name.startsWith(prefix) || !isRecord(entry)) return [];
    if (when !== undefined && member(entry, when) !== true) return [];
    const value = member(entry, key);
    return value === undefined ? [] : [{ value, input: name, item: name.slice(prefix.length), through: [] }];
  });
}

function member(entry: Json, at: number | string): Json | undefined {
  if (Array.isArray(entry)) return typeof at === 'number' ? entry[at] : undefined;
  if (!isRecord(entry) || !Object.hasOwn(entry, at)) return undefined;
  const value = entry[at];
  return value === undefined ? undefined : (value as Json);
}

/** A numeric fact's value as a double. */
export function numberOf(value: FactValue): number {
  const number = value instanceof ExactNumber ? value.value : Number(value);
  if (Number.isNaN(number))
    throw new LineageError('graph/malformed', `expected a number, got ${asText(value)}`);
  return number;
}
