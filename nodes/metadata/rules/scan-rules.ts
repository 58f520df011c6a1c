import { META_FIELDS, type NodeRule } from '../../../rules/define.ts';
import type { RuleBook } from '../rule-book.ts';
import type { ClassShape } from './class-shapes.ts';
import { type Proposal, proposeRule } from './propose-rule.ts';

/** Classes without a rule, those with one, or both. */
export const SCAN_MODES = ['new_only', 'all', 'existing_only'] as const;
type ScanMode = (typeof SCAN_MODES)[number];

export type ScanOptions = {
  readonly mode: ScanMode;
  /** Parts of class names in any case, or names of fields: left out. */
  readonly exclude: readonly string[];
  /** Whole class names: scanned whatever the mode, `exclude` and `only` say. Fields: also where the evidence is weak. */
  readonly force: readonly string[];
  /** Class types of given graphs; without it, all classes. */
  readonly only?: ReadonlySet<string>;
};

/** A proposal beside what is known already: `+` new, `-` not proposed, `~` other than the rule that counts. */
export type Scanned = Proposal & { readonly isKnown: boolean; readonly diff: readonly string[] };

const FIELDS: ReadonlySet<string> = new Set(META_FIELDS);

/** Proposes rules by what classes declare. Total, whatever the classes; by name of the class. */
export function scanRules(
  shapes: readonly ClassShape[],
  book: RuleBook,
  options: ScanOptions,
): readonly Scanned[] {
  const [excludedFields, excludedWords] = split(options.exclude);
  const [forcedFields, forcedClasses] = split(options.force);
  const forced = new Set(forcedClasses);
  const words = excludedWords.map((word) => word.toLowerCase());
  const isWanted = ({ classType }: ClassShape): boolean => {
    if (forced.has(classType)) return true;
    if (options.only && !options.only.has(classType)) return false;
    if (words.some((word) => classType.toLowerCase().includes(word))) return false;
    if (options.mode === 'all') return true;
    return book.has(classType) === (options.mode === 'existing_only');
  };
  const fields = { exclude: new Set(excludedFields), force: new Set(forcedFields) };
  return shapes
    .filter(isWanted)
    .flatMap((shape): Scanned[] => {
      const proposal = proposeRule(shape, fields);
      if (!proposal) return [];
      const known = book.get(shape.classType)?.rule;
      return [{ ...proposal, isKnown: known !== undefined, diff: diffRules(known, proposal.rule) }];
    })
    .sort((a, b) => (a.classType < b.classType ? -1 : 1));
}

/** A field's name means the field, anything else a class. */
function split(names: readonly string[]): readonly [readonly string[], readonly string[]] {
  const given = names.map((name) => name.trim()).filter((name) => name !== '');
  return [given.filter((name) => FIELDS.has(name)), given.filter((name) => !FIELDS.has(name))];
}

/** How a proposed rule differs from one that is there, a line a part. */
function diffRules(known: NodeRule | undefined, proposed: NodeRule): readonly string[] {
  const [before, after] = [partsOf(known), partsOf(proposed)];
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    if (was === is) return [];
    if (was === undefined) return [`+ ${name}: ${is}`];
    return [is === undefined ? `- ${name}: ${was}` : `~ ${name}: ${was} -> ${is}`];
  });
}

function partsOf(rule: NodeRule | undefined): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  for (const [member, value] of Object.entries(rule ?? {})) {
    const isSplit = member === 'takes' || member === 'reads';
    const entries = isSplit && typeof value === 'object' ? Object.entries(value) : [['', value]];
    for (const [name, part] of entries)
      parts.set(name === '' ? member : `${member}.${name}`, JSON.stringify(part));
  }
  return parts;
}
