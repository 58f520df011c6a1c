import { Command } from 'commander';
import { readContainer } from '../../nodes/formats/container.ts';
import { detectImageFormat } from '../../nodes/formats/detect.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { parseExactJson } from '../../nodes/metadata/exact-json.ts';
import { type LineageRecord, recordSchema } from '../../nodes/metadata/record.ts';
import { readFileChecked } from '../local/read-file.ts';
import { explainText } from './explanation.ts';
import { inFile, MAX_IMAGE_BYTES } from './graph-source.ts';
import type { CommandContext } from './main.ts';
import { noteWarnings } from './terminal.ts';
import { trace } from './trace.ts';
import { addTraceOptions, type TraceOptions } from './trace-options.ts';

/** `lineage explain FILE`: each field of a picture with the path that gave it, for people. */
export function explainCommand(context: CommandContext): Command {
  const command = new Command('explain')
    .description('say for each field of a picture which nodes gave it')
    .argument('<file>', 'a picture that Lineage wrote, or any picture or file with a prompt graph');
  return addTraceOptions(command).action((file: string, options: TraceOptions) =>
    explain(file, options, context),
  );
}

/** The record in the picture tells what was true when it was saved; without one the graph is traced anew. */
async function explain(file: string, options: TraceOptions, context: CommandContext): Promise<void> {
  const { warn, list: warnings } = createWarningLog();
  const bytes = await readFileChecked(file, MAX_IMAGE_BYTES);
  const carried =
    detectImageFormat(bytes) === undefined ? {} : readCarried(inFile(file, () => readContainer(bytes)));
  const record =
    carried.record === undefined
      ? undefined
      : recordSchema.safeParse(plain(parseExactJson(carried.record, warn, file)));
  if (!record?.success) return await trace(file, options, context);
  const text = carried.parameters ?? '';
  context.terminal.print(
    options.json ? JSON.stringify({ record: record.data, parameters: text }) : explainText(record.data, text),
  );
  noteWarnings(warnings, context.terminal);
}

/** Exact numbers as doubles: the schema knows plain JSON. */
function plain(value: unknown): LineageRecord {
  return JSON.parse(JSON.stringify(value)) as LineageRecord;
}
