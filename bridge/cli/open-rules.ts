import type { RuleFiles } from '../../nodes/kit/rule-files.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import type { RuleBook } from '../../nodes/metadata/rule-book.ts';
import { openHostBook } from '../../nodes/metadata/rules/user-book.ts';
import { homeFolder } from '../local/home.ts';
import { createRuleStore, listRuleFiles, rulesIn } from '../local/rule-store.ts';

/**
 * The rules that count for a command: those of `--rules` in their order, this user's own, the packs.
 *
 * @throws LineageError `file/missing` for a path of `--rules` that is not there
 */
export async function openRules(named: readonly string[] = [], warn: WarningSink): Promise<RuleBook> {
  for (const path of named) await listRuleFiles(path);
  const key = JSON.stringify([homeFolder(), named]);
  const store = STORES.get(key) ?? createRuleStore(rulesIn(homeFolder()), named);
  STORES.set(key, store);
  return await openHostBook(store, warn);
}

/** A folder of pictures asks once for each: the same store gives the same book. */
const STORES = new Map<string, RuleFiles>();
