import { Command } from 'commander';
import { visibleText } from '../../nodes/kit/visible-text.ts';
import { type RuleFinding, readRules, tellFinding } from '../../nodes/metadata/rules/read-rules.ts';
import { packBook } from '../../nodes/metadata/rules/user-book.ts';
import { listRuleFiles, readRuleFile } from '../local/rule-store.ts';
import type { CommandContext } from './command-context.ts';

/** `lineage rules lint FILE...`: what is wrong in files of rules, each with line and column. */
export function rulesLintCommand(context: CommandContext): Command {
  return new Command('lint')
    .description('check files of rules (JSON or YAML): line, column, and what was probably meant')
    .argument('<path...>', 'files, or folders of them')
    .option('--json', 'print one JSON document')
    .action((paths: readonly string[], options: { readonly json?: boolean }) =>
      lint(paths, options, context),
    );
}

async function lint(
  paths: readonly string[],
  { json }: { readonly json?: boolean },
  { terminal, noteFinding }: CommandContext,
): Promise<void> {
  const findings: RuleFinding[] = [];
  const notes: string[] = [];
  /** Class types by the first file that has them. */
  const owners = new Map<string, string>();
  let files = 0;
  for (const path of paths) {
    for (const file of await listRuleFiles(path)) {
      files++;
      const { pack, findings: found } = readRules(await readRuleFile(file));
      findings.push(...found);
      for (const classType of Object.keys(pack?.nodes ?? {})) {
        const owner = owners.get(classType);
        if (owner !== undefined) notes.push(`${file}: ${classType}: does not count, ${owner} comes first`);
        else if (packBook.has(classType)) notes.push(`${file}: ${classType}: replaces the rule of our pack`);
        if (owner === undefined) owners.set(classType, file);
      }
    }
  }
  if (findings.length > 0) noteFinding();
  if (json) {
    terminal.print(JSON.stringify({ files, classes: owners.size, findings, notes }));
    return;
  }
  for (const finding of findings) terminal.print(visibleText(tellFinding(finding)));
  for (const note of notes) terminal.note(visibleText(note));
  terminal.note(`files: ${files}, class types: ${owners.size}, findings: ${findings.length}`);
}
