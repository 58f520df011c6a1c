import {
  META_FIELDS,
  type MetaField,
  type NodeRule,
  type Place,
  type RulePack,
  type Stream,
} from '../../rules/define.ts';

/** One field that a rule reads, and the name its facts give for the rule: `comfy-core/KSampler.SEED`. */
export type FieldPlaces = {
  readonly field: MetaField;
  readonly id: string;
  readonly places: readonly Place[];
};

/** A class type's rule, and what is worked out of it once rather than at every node. */
export type BookedRule = {
  readonly classType: string;
  readonly rule: NodeRule;
  /** The names of `rule.takes` and `rule.uses`. */
  readonly takes: readonly string[];
  /** In the order of META_FIELDS. */
  readonly reads: readonly FieldPlaces[];
  /** No place asks for a stream or a slot: the facts are the same however a node is reached. */
  readonly isUnconditional: boolean;
};

/** Rules by class type; where two packs know one, the earlier pack wins. */
export type RuleBook = ReadonlyMap<string, BookedRule>;

export function createRuleBook(packs: readonly RulePack[]): RuleBook {
  const book = new Map<string, BookedRule>();
  for (const { pack, nodes } of packs) {
    for (const [classType, rule] of Object.entries(nodes)) {
      if (!book.has(classType)) book.set(classType, bookRule(pack, classType, rule));
    }
  }
  return book;
}

function bookRule(pack: string, classType: string, rule: NodeRule): BookedRule {
  const reads = META_FIELDS.flatMap((field): FieldPlaces[] => {
    const places = placesOf(rule, field);
    return places.length === 0 ? [] : [{ field, id: `${pack}/${classType}.${field}`, places }];
  });
  const isUnconditional = reads.every(({ places }) =>
    places.every(({ on, slot }) => on === undefined && slot === undefined),
  );
  const takes = [...Object.keys(rule.takes ?? {}), ...Object.keys(rule.uses ?? {})];
  return { classType, rule, takes, reads, isUnconditional };
}

/** The places where a rule reads a field, as a list. */
export function placesOf(rule: NodeRule, field: MetaField): readonly Place[] {
  const places = rule.reads?.[field];
  if (places === undefined) return [];
  return isPlaceList(places) ? places : [places];
}

function isPlaceList(places: Place | readonly Place[]): places is readonly Place[] {
  return Array.isArray(places);
}

/** Whether a place counts for a node that was reached on this stream through this slot. */
export function applies(place: Place, stream: Stream, slot: number): boolean {
  if (place.slot !== undefined && place.slot !== slot) return false;
  if (place.on === undefined) return true;
  return typeof place.on === 'string' ? place.on === stream : place.on.includes(stream);
}

/**
 * The key of a bundle that an output slot hands out, '' for the bundle itself; undefined for an output that is the
 * node's own.
 */
export function bundleKeyAt({ pipe }: NodeRule, slot: number): string | undefined {
  return pipe?.slots[slot] ?? undefined;
}

/** Whether a switch hands its choice on at this output slot. */
export function switchesAt(rule: NodeRule, slot: number): boolean {
  return rule.switch !== undefined && (rule.switch.slots?.includes(slot) ?? true);
}
