import {
  META_FIELDS,
  type MetaField,
  type NodeRule,
  type Pick,
  type RulePack,
  type Stream,
} from '../../rules/define.ts';

/** One field that a rule reads, and the name its facts give for the rule: `comfy-core/KSampler.SEED`. */
export type Reading = { readonly field: MetaField; readonly id: string; readonly picks: readonly Pick[] };

/** A class type's rule, and what is worked out of it once rather than at every node. */
export type BookedRule = {
  readonly classType: string;
  readonly rule: NodeRule;
  /** The names of `rule.takes`. */
  readonly takes: readonly string[];
  /** In the order of META_FIELDS. */
  readonly readings: readonly Reading[];
  /** No pick asks for a stream or a slot: the facts are the same however a node is reached. */
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
  const readings = META_FIELDS.flatMap((field): Reading[] => {
    const picks = picksOf(rule, field);
    return picks.length === 0 ? [] : [{ field, id: `${pack}/${classType}.${field}`, picks }];
  });
  const isUnconditional = readings.every(({ picks }) =>
    picks.every(({ on, slot }) => on === undefined && slot === undefined),
  );
  return { classType, rule, takes: Object.keys(rule.takes ?? {}), readings, isUnconditional };
}

/** The places where a rule reads a field, as a list. */
export function picksOf(rule: NodeRule, field: MetaField): readonly Pick[] {
  const picks = rule.reads?.[field];
  if (picks === undefined) return [];
  return isPickList(picks) ? picks : [picks];
}

function isPickList(picks: Pick | readonly Pick[]): picks is readonly Pick[] {
  return Array.isArray(picks);
}

/** Whether a pick counts for a node that was reached on this stream through this slot. */
export function applies(pick: Pick, stream: Stream, slot: number): boolean {
  if (pick.slot !== undefined && pick.slot !== slot) return false;
  if (pick.on === undefined) return true;
  return typeof pick.on === 'string' ? pick.on === stream : pick.on.includes(stream);
}
