import { Command } from 'commander';
import { readContainer } from '../../nodes/formats/container.ts';
import { detectImageFormat } from '../../nodes/formats/detect.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { type Json, parseExactJson } from '../../nodes/kit/exact-json.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { type ConvertOptions, convertWorkflow } from '../../nodes/workflow/convert-workflow.ts';
import { readFileChecked } from '../local/read-file.ts';
import { refuseTaken, writeFileAtomic } from '../local/write-file.ts';
import type { CommandContext } from './command-context.ts';
import { MAX_IMAGE_BYTES, workflowOf } from './graph-source.ts';
import { inFile, parseJsonBytes } from './json-file.ts';
import { readNodeDefinitions } from './object-info.ts';
import { noteWarnings } from './terminal.ts';

type Options = {
  readonly out: string;
  readonly objectInfo?: string;
  readonly force?: boolean;
  readonly json?: boolean;
};

/** `lineage convert WORKFLOW.json --out PROMPT.json`: the prompt graph of a workflow, without ComfyUI. */
export function convertCommand(context: CommandContext): Command {
  return new Command('convert')
    .description('make the prompt graph (API format) of a workflow, as ComfyUI would queue it')
    .argument('<workflow>', 'a workflow as the editor saves it, or a picture that embeds one')
    .requiredOption('--out <file>', 'where to write the prompt graph')
    .option(
      '--object-info <file>',
      'what /object_info of your ComfyUI answers (default: its own nodes, as of 0.8)',
    )
    .option('--force', 'replace an existing file')
    .option('--json', 'print one JSON document')
    .action((file: string, options: Options) => convert(file, options, context));
}

async function convert(file: string, options: Options, { terminal, signal }: CommandContext): Promise<void> {
  const { warn, list: warnings } = createWarningLog();
  if (!options.force) await refuseTaken(options.out);
  const { workflow, texts } = await readWorkflow(file, warn);
  const definitions = await readNodeDefinitions(options.objectInfo);
  const prompt = inFile(file, () => convertWorkflow(workflow, definitions, { texts, now: new Date() }, warn));
  signal.throwIfAborted();
  const bytes = new TextEncoder().encode(`${JSON.stringify(prompt, undefined, 2)}\n`);
  await writeFileAtomic(options.out, bytes, { replace: options.force === true });
  const nodes = Object.keys(prompt).length;
  if (options.json) terminal.print(JSON.stringify({ out: options.out, nodes, warnings }));
  else terminal.print(`${options.out}: ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`);
  noteWarnings(warnings, terminal);
}

type Found = { readonly workflow: Json } & Pick<ConvertOptions, 'texts'>;

/** @throws LineageError `workflow/malformed` where the file holds none, and of reading it */
async function readWorkflow(file: string, warn: WarningSink): Promise<Found> {
  const bytes = await readFileChecked(file, MAX_IMAGE_BYTES);
  if (detectImageFormat(bytes) !== undefined) {
    const { workflow } = readCarried(inFile(file, () => readContainer(bytes)));
    if (workflow !== undefined) return { workflow: parseExactJson(workflow, warn, file), texts: 'as-queued' };
  } else {
    const workflow = workflowOf(parseJsonBytes(bytes, file, warn));
    if (workflow !== undefined) return { workflow, texts: 'as-edited' };
  }
  throw new LineageError('workflow/malformed', 'expected a workflow as the editor saves it, got none', {
    file,
  });
}
