import { Command } from 'commander';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { toDocument } from '../../nodes/metadata/document.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { renderParameters } from '../../nodes/metadata/infotext.ts';
import { writeUp } from '../../nodes/metadata/write-up.ts';
import type { CommandContext } from './command-context.ts';
import { explainText } from './explanation.ts';
import { readGraphFile } from './graph-source.ts';
import { inFile } from './json-file.ts';
import { noteWarnings } from './terminal.ts';
import { traceGraph } from './trace-graph.ts';
import { addTraceOptions, type TraceOptions } from './trace-options.ts';

/** `lineage trace PROMPT.json`: what a prompt graph says of its picture, without a picture. */
export function traceCommand(context: CommandContext): Command {
  const command = new Command('trace')
    .description('say what a prompt graph tells of the picture it makes, without making it')
    .argument('<prompt>', 'a prompt graph (API format), or a picture that embeds one');
  return addTraceOptions(command).action((file: string, options: TraceOptions) =>
    trace(file, options, context),
  );
}

export async function trace(file: string, options: TraceOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  const { warn, list: warnings } = createWarningLog();
  const source = await readGraphFile(file, warn, options.objectInfo);
  const graph = inFile(file, () => parsePromptGraph(source.prompt, warn));
  const { learnt, resources } = await traceGraph(graph, source, options, undefined, warn, context);
  const { metadata, record } = writeUp(learnt, resources, {}, warn);
  const text = renderParameters(metadata.parameters);
  if (options.json) {
    const written = { stage: 'full', parameters: text, dropped: [], warnings } as const;
    terminal.print(JSON.stringify(toDocument(record, written)));
  } else terminal.print(explainText(record, text));
  noteWarnings(warnings, terminal);
}
