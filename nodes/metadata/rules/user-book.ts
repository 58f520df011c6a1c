import type { RulePack } from '../../../rules/define.ts';
import { rulePacks } from '../../../rules/index.gen.ts';
import type { RuleFile, RuleFiles } from '../../kit/rule-files.ts';
import type { WarningSink } from '../../kit/warnings.ts';
import { createRuleBook, type RuleBook } from '../rule-book.ts';
import { type RuleFinding, readRules } from './read-rules.ts';

/** The rules of our packs alone. */
export const packBook: RuleBook = createRuleBook(rulePacks);

/**
 * The book of a user's files before our packs: whole class types, the earlier file first. What is wrong in a file is
 * warned of; one with an error counts for nothing and leaves the others as they are.
 *
 * @param files the same list gives the same book again, without being read again
 */
export function openUserBook(files: readonly RuleFile[], warn: WarningSink): RuleBook {
  if (files.length === 0) return packBook;
  let read = READ.get(files);
  if (!read) {
    const all = files.map(readRules);
    const packs = all.flatMap(({ pack }): RulePack[] => (pack ? [pack] : []));
    const findings = all.flatMap((each) => each.findings);
    read = { book: createRuleBook([...packs, ...rulePacks]), findings };
    READ.set(files, read);
  }
  for (const { level, file, line, column, place, expected, got } of read.findings) {
    const what = `${place === '' ? '' : `${place}: `}expected ${expected}, got ${got}`;
    const rest = level === 'error' ? '; the file does not count' : '';
    warn('rules/malformed', `${what}${rest}`, `${file}:${line}:${column}`);
  }
  return read.book;
}

/** The book of the rules that a host has, as they are now. */
export async function openHostBook(rules: RuleFiles | undefined, warn: WarningSink): Promise<RuleBook> {
  if (!rules) return packBook;
  const files = await rules.read((message, file) => warn('rules/unreadable', message, file));
  return openUserBook(files, warn);
}

type Read = { readonly book: RuleBook; readonly findings: readonly RuleFinding[] };

/** Every picture asks; a list that is not asked for any more is forgotten. */
const READ = new WeakMap<readonly RuleFile[], Read>();
