import type { NodeRule } from '../../../rules/define.ts';
import { defineNode } from '../../kit/define-node.ts';
import { LineageError } from '../../kit/errors.ts';
import { choice, integer, text, toggle } from '../../kit/fields.ts';
import type { RuleFiles } from '../../kit/rule-files.ts';
import { readRules, tellFinding } from './read-rules.ts';
import { writeRulesJson } from './write-rules.ts';

/** The newest backup, by no name of its own. */
const NEWEST = 'newest';

const saveInputs = {
  rules: text({ default: '', multiline: true, tooltip: 'A file of rules, YAML or JSON.' }),
  mode: choice(['append', 'replace'], {
    default: 'append',
    tooltip: 'Adds to the rules that the file has, or puts these in their place.',
  }),
  replace_conflicts: toggle({
    default: false,
    tooltip: 'When appending: the new rule of a class that the file has already wins.',
  }),
  backup: toggle({ default: true, tooltip: 'Keeps the file as it was before.' }),
  keep_backups: integer({
    default: 20,
    min: 1,
    max: 200,
    optional: true,
    tooltip: 'How many backups are kept; older ones are deleted.',
  }),
  restore: text({
    default: '',
    optional: true,
    tooltip: `The name of a backup, or "${NEWEST}": puts it back instead of saving rules.`,
  }),
};

export default defineNode({
  id: 'LineageRulesSave',
  title: 'Save Rules',
  category: 'lineage/rules',
  description:
    'Keeps metadata rules in the one file that nodes write in your folder of rules. Files that you wrote there yourself are never touched, and count first.',
  terminal: true,
  inputs: saveInputs,
  outputs: { status: { type: 'STRING', tooltip: 'What was done.' } },

  async run(inputs, host) {
    const { rules: files, nodeId } = host;
    if (!files)
      throw new LineageError('rules/no-host', 'expected a host with a folder of rules, got none', {
        node: nodeId,
      });
    const keep = inputs.backup ? (inputs.keep_backups ?? 20) : 0;
    const restore = (inputs.restore ?? '').trim();
    const { text, done } =
      restore === '' ? await mergeRules(inputs.rules, inputs, files) : await findBackup(restore, files);
    const backup = await files.writeSaved(text, keep);
    const status = `${done}${backup === undefined ? '' : `; backup ${backup}`}`;
    return { outputs: { status }, ui: { text: [status] } };
  },
});

type Saving = { readonly text: string; readonly done: string };

async function mergeRules(
  given: string,
  {
    mode,
    replace_conflicts: replaces,
  }: { readonly mode: 'append' | 'replace'; readonly replace_conflicts: boolean },
  files: RuleFiles,
): Promise<Saving> {
  const added = parse(given, 'rules');
  const saved = mode === 'append' ? await files.readSaved() : undefined;
  const before = saved === undefined ? new Map<string, NodeRule>() : parse(saved, 'saved rules');
  const isNew = [...added.keys()].filter((classType) => !before.has(classType));
  const conflicts = added.size - isNew.length;
  const all = replaces ? new Map([...before, ...added]) : new Map([...added, ...before]);
  const rest =
    conflicts === 0 ? '' : `, ${conflicts} that were there ${replaces ? 'replaced' : 'kept as they were'}`;
  return { text: writeRulesJson(Object.fromEntries(all)), done: `saved ${isNew.length} new rules${rest}` };
}

/** @throws LineageError `rules/malformed` */
function parse(text: string, name: string): ReadonlyMap<string, NodeRule> {
  const { pack, findings } = readRules({ name, text });
  if (pack) return new Map(Object.entries(pack.nodes));
  const [first] = findings;
  throw new LineageError(
    'rules/malformed',
    first ? tellFinding(first) : `expected rules, got none in ${name}`,
    {
      ...(first && { line: first.line }),
    },
  );
}

/** @throws LineageError `rules/no-backup` */
async function findBackup(name: string, files: RuleFiles): Promise<Saving> {
  const names = await files.listBackups();
  const chosen = name === NEWEST ? names[0] : names.find((each) => each === name);
  const text = chosen === undefined ? undefined : await files.readBackup(chosen);
  if (text !== undefined) return { text, done: `restored ${chosen}` };
  const got = `${JSON.stringify(name)}; there are ${names.slice(0, 20).join(', ') || 'none'}`;
  throw new LineageError('rules/no-backup', `expected the name of a backup, got ${got}`);
}
