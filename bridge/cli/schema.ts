import { readFileSync } from 'node:fs';
import { Argument, Command } from 'commander';
import type { CommandContext } from './command-context.ts';

/** What schemas are published, by the word that asks for them. */
const SCHEMAS = {
  document: new URL('../../nodes/metadata/document.schema.gen.json', import.meta.url),
  record: new URL('../../nodes/metadata/record.schema.gen.json', import.meta.url),
  'tag-report': new URL('../../nodes/metadata/tag-report.schema.gen.json', import.meta.url),
  'undo-report': new URL('../../nodes/metadata/undo-report.schema.gen.json', import.meta.url),
  pipeline: new URL('../../nodes/pipeline/manifest.schema.gen.json', import.meta.url),
  merge: new URL('../../nodes/merge/provenance/merge-record.schema.gen.json', import.meta.url),
} as const;
type Which = keyof typeof SCHEMAS;
const WORDS: readonly Which[] = ['document', 'record', 'tag-report', 'undo-report', 'pipeline', 'merge'];

/** Prints the published JSON Schema of what the commands print, of what files carry, and of what people write. */
export function schemaCommand({ terminal }: CommandContext): Command {
  return new Command('schema')
    .description(
      'print a JSON Schema: of the document that tag and trace print, of the record in a picture, of the lines of --jsonl, of a merge pipeline, or of the record in a merged model',
    )
    .addArgument(new Argument('<which>', 'which schema').choices(WORDS))
    .option('--json', 'the schema is JSON either way')
    .action((which: Which) => {
      terminal.print(readFileSync(SCHEMAS[which], 'utf8').trimEnd());
    });
}
