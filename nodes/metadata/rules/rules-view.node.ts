import { defineNode } from '../../kit/define-node.ts';
import { LineageError } from '../../kit/errors.ts';
import { text } from '../../kit/fields.ts';
import { readRules, tellFinding } from './read-rules.ts';

export default defineNode({
  id: 'LineageRulesView',
  title: 'View Rules',
  category: 'lineage/rules',
  description: 'Shows the metadata rules of your own that count, file by file, and what is wrong in them.',
  terminal: true,
  inputs: {
    find: text({ default: '', optional: true, tooltip: 'Only class types whose names hold this.' }),
  },
  outputs: { text: { type: 'STRING', tooltip: 'The rules, in the order in which they count.' } },

  async run({ find = '' }, host) {
    if (!host.rules)
      throw new LineageError('rules/no-host', 'expected a host with a folder of rules, got none', {
        node: host.nodeId,
      });
    const lines: string[] = [];
    const files = await host.rules.read((message, file) => lines.push(`# ${file}: ${message}`));
    for (const file of files) {
      const { pack, findings } = readRules(file);
      lines.push(`# ${file.name}`, ...findings.map((finding) => `# ${tellFinding(finding)}`));
      for (const [classType, rule] of Object.entries(pack?.nodes ?? {}))
        if (classType.toLowerCase().includes(find.trim().toLowerCase()))
          lines.push(`${JSON.stringify(classType)}: ${JSON.stringify(rule)}`);
    }
    const backups = await host.rules.listBackups();
    if (backups.length > 0) lines.push(`# backups: ${backups.join(', ')}`);
    const shown = files.length === 0 ? '# no rules of your own' : lines.join('\n');
    return { outputs: { text: shown }, ui: { text: [shown] } };
  },
});
