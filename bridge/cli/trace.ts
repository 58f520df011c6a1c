import { Command } from 'commander';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { toDocument } from '../../nodes/metadata/document.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { renderParameters } from '../../nodes/metadata/infotext.ts';
import { learn } from '../../nodes/metadata/learn.ts';
import { resolveResources } from '../../nodes/metadata/resolve.ts';
import { createRuleBook } from '../../nodes/metadata/rule-book.ts';
import { chooseSaveNode } from '../../nodes/metadata/save-nodes.ts';
import { writeUp } from '../../nodes/metadata/write-up.ts';
import { rulePacks } from '../../rules/index.gen.ts';
import type { CommandContext } from './command-context.ts';
import { explainText } from './explanation.ts';
import { inFile, readGraphFile } from './graph-source.ts';
import { withModels } from './machine.ts';
import { noteWarnings } from './terminal.ts';
import { addTraceOptions, type TraceOptions, toSelection } from './trace-options.ts';

/** `lineage trace PROMPT.json`: what a prompt graph says of its picture, without a picture. */
export function traceCommand(context: CommandContext): Command {
  const command = new Command('trace')
    .description('say what a prompt graph tells of the picture it makes, without making it')
    .argument('<prompt>', 'a prompt graph (API format), or a picture that embeds one');
  return addTraceOptions(command).action((file: string, options: TraceOptions) =>
    trace(file, options, context),
  );
}

export async function trace(
  file: string,
  options: TraceOptions,
  { terminal, signal }: CommandContext,
): Promise<void> {
  const { warn, list: warnings } = createWarningLog();
  const source = await readGraphFile(file, warn);
  const graph = inFile(file, () => parsePromptGraph(source.prompt, warn));
  const book = createRuleBook(rulePacks);
  const saveNode = chooseSaveNode(graph, book, options.node);
  const selection = { ...toSelection(options, source), debug: terminal.debug };
  const learnt = learn(graph, saveNode, book, selection, warn);
  const resources = await withModels(options.models, warn, terminal, (models) =>
    resolveResources(learnt, models, warn, { signal }),
  );
  const { metadata, record } = writeUp(learnt, resources, {}, warn);
  const text = renderParameters(metadata.parameters);
  if (options.json) {
    const written = { stage: 'full', parameters: text, dropped: [], warnings } as const;
    terminal.print(JSON.stringify(toDocument(record, written)));
  } else terminal.print(explainText(record, text));
  noteWarnings(warnings, terminal);
}
