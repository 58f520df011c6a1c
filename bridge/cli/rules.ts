import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { rulesGapsCommand } from './rules-gaps.ts';
import { rulesLintCommand } from './rules-lint.ts';
import { rulesScanCommand } from './rules-scan.ts';
import { rulesTestCommand } from './rules-test.ts';

const SCHEMA = new URL('../../nodes/metadata/rules/rules.schema.gen.json', import.meta.url);

/** `lineage rules`: what a user needs to teach Lineage a node that no pack of ours knows. */
export function rulesCommand(context: CommandContext): Command {
  const schema = new Command('schema')
    .description('print the JSON Schema of a file of rules, for editors')
    .option('--json', 'the schema is JSON either way')
    .action(() => context.terminal.print(readFileSync(SCHEMA, 'utf8').trimEnd()));
  return new Command('rules')
    .description('write, check and test rules for nodes that Lineage does not know')
    .addCommand(rulesLintCommand(context))
    .addCommand(schema)
    .addCommand(rulesScanCommand(context))
    .addCommand(rulesGapsCommand(context))
    .addCommand(rulesTestCommand(context));
}
