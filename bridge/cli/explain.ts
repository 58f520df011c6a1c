import { Command } from 'commander';
import { readContainer } from '../../nodes/formats/container.ts';
import { detectImageFormat } from '../../nodes/formats/detect.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import type { RecipeTree } from '../../nodes/merge/provenance/recipe-tree.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { toDocument } from '../../nodes/metadata/document.ts';
import { readRecord } from '../../nodes/metadata/read-record.ts';
import type { RecordData } from '../../nodes/metadata/record.ts';
import { stageOfText } from '../../nodes/metadata/stages.ts';
import { readFileChecked } from '../local/read-file.ts';
import type { CommandContext } from './command-context.ts';
import { explainModel, isModelFile } from './explain-model.ts';
import { explainText } from './explanation.ts';
import { MAX_IMAGE_BYTES } from './graph-source.ts';
import { inFile } from './json-file.ts';
import { withModels } from './machine.ts';
import { findFamilies, showFamilies } from './picture-family.ts';
import { noteWarnings } from './terminal.ts';
import { trace } from './trace.ts';
import { addTraceOptions, type TraceOptions } from './trace-options.ts';

/** `lineage explain FILE`: each field of a picture with the path that gave it; the family tree of a model. */
export function explainCommand(context: CommandContext): Command {
  const command = new Command('explain')
    .description(
      'say for each field of a picture which nodes gave it, and of a merged model what it was made of',
    )
    .argument(
      '<file>',
      'a picture or model that Lineage wrote, or any with a prompt graph or a recipe of another tool',
    );
  return addTraceOptions(command).action((file: string, options: TraceOptions) =>
    explain(file, options, context),
  );
}

/**
 * The record in the picture tells what was true when it was saved. Without one, and for a node or sampler that is
 * asked for by name, the graph is traced anew.
 */
async function explain(file: string, options: TraceOptions, context: CommandContext): Promise<void> {
  if (await isModelFile(file)) return await explainModel(file, options.json === true, context.terminal);
  const { warn, list: warnings } = createWarningLog();
  const bytes = await readFileChecked(file, MAX_IMAGE_BYTES);
  const carried =
    detectImageFormat(bytes) === undefined ? {} : readCarried(inFile(file, () => readContainer(bytes)));
  const record = carried.record === undefined ? undefined : readRecord(carried.record, warn);
  if (!record || options.node !== undefined || options.sampler !== undefined)
    return await trace(file, options, context);
  const text = carried.parameters ?? '';
  const { print } = context.terminal;
  if (!options.json) print(explainText(record, text));
  // Hashing large files takes a while: what is known already is on the screen by then.
  const families = await familiesOf(record, options, warn, context);
  const written = { stage: stageOfText(text), parameters: text, dropped: [], warnings };
  if (options.json) print(JSON.stringify(toDocument(record, { ...written, families })));
  else if (families.length > 0) print(`\n${showFamilies(families)}`);
  noteWarnings(warnings, context.terminal);
}

/** Of merged models that lie in the folders of `--models`. */
async function familiesOf(
  { resources }: Pick<RecordData, 'resources'>,
  { models: folders }: TraceOptions,
  warn: WarningSink,
  { terminal }: CommandContext,
): Promise<readonly RecipeTree[]> {
  if (folders.length === 0) return [];
  return await withModels(folders, warn, terminal, (models) => findFamilies(resources, folders, models));
}
