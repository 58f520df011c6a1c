import { readFileSync } from 'node:fs';
import { Argument, Command } from 'commander';
import type { CommandContext } from './command-context.ts';

const SCHEMAS = ['document', 'record'] as const;

/** Prints the published JSON Schema of what the commands print and of what pictures carry. */
export function schemaCommand({ terminal }: CommandContext): Command {
  return new Command('schema')
    .description(
      'print a JSON Schema: of the document that tag and trace print, or of the record in a picture',
    )
    .addArgument(new Argument('<which>', 'which schema').choices(SCHEMAS))
    .option('--json', 'the schema is JSON either way')
    .action((which: (typeof SCHEMAS)[number]) => {
      const file = new URL(`../../nodes/metadata/${which}.schema.gen.json`, import.meta.url);
      terminal.print(readFileSync(file, 'utf8').trimEnd());
    });
}
