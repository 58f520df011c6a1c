import type { MetaField, NodeRule, Pick, RulePack, Stream } from '../../rules/define.ts';

/** A class type's rule and the pack it came from. */
export type BookedRule = { readonly pack: string; readonly classType: string; readonly rule: NodeRule };

/** Rules by class type; where two packs know one, the earlier pack wins. */
export type RuleBook = ReadonlyMap<string, BookedRule>;

export function createRuleBook(packs: readonly RulePack[]): RuleBook {
  const book = new Map<string, BookedRule>();
  for (const { pack, nodes } of packs) {
    for (const [classType, rule] of Object.entries(nodes)) {
      if (!book.has(classType)) book.set(classType, { pack, classType, rule });
    }
  }
  return book;
}

/** The name a fact gives for its rule: `comfy-core/KSampler.SEED`. */
export function ruleId(booked: BookedRule, field: MetaField): string {
  return `${booked.pack}/${booked.classType}.${field}`;
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
