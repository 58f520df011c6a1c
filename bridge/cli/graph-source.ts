import { type Container, readContainer } from '../../nodes/formats/container.ts';
import { detectImageFormat } from '../../nodes/formats/detect.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { type Json, parseExactJson } from '../../nodes/kit/exact-json.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { type ConvertOptions, convertWorkflow } from '../../nodes/workflow/convert-workflow.ts';
import { isWorkflow } from '../../nodes/workflow/parse-workflow.ts';
import { readFileChecked } from '../local/read-file.ts';
import { inFile, parseJsonBytes } from './json-file.ts';
import { readNodeDefinitions } from './object-info.ts';

/** A prompt graph and the workflow that came with it, parsed but not yet looked into. */
export type GraphSource = { readonly prompt: Json; readonly workflow?: Json };

/** The longest workflows met are about 2 MiB. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
export const MAX_IMAGE_BYTES = 1024 * 1024 * 1024;

/**
 * Reads a prompt graph from a file: the graph itself, a queue request, a recorded pair, or a picture that embeds it. Of
 * a workflow alone the graph is made, and that is told.
 *
 * @param objectInfo the classes that a workflow is read by; ComfyUI's own where absent
 * @throws LineageError `file/missing`, `file/unreadable`, `graph/malformed`, and of converting a workflow
 */
export async function readGraphFile(
  file: string,
  warn: WarningSink,
  objectInfo?: string,
): Promise<GraphSource> {
  const bytes = await readFileChecked(file, MAX_IMAGE_BYTES);
  if (detectImageFormat(bytes) !== undefined) {
    return await graphOfImage(
      inFile(file, () => readContainer(bytes)),
      file,
      warn,
      objectInfo,
    );
  }
  const document = parseJsonBytes(bytes, file, warn);
  const workflow = workflowOf(document);
  if (workflow !== undefined && !holdsPrompt(document))
    return await convertSource(workflow, 'as-edited', file, warn, objectInfo);
  return { prompt: document, ...(workflow !== undefined && { workflow }) };
}

/**
 * The graph that a picture embeds; where it embeds a workflow only, the graph is made of that, and that is told.
 *
 * @throws LineageError `graph/malformed` where it embeds neither, and of converting a workflow
 */
export async function graphOfImage(
  container: Container,
  file: string,
  warn: WarningSink,
  objectInfo?: string,
): Promise<GraphSource> {
  const carried = readCarried(container);
  const workflow = carried.workflow === undefined ? undefined : parseExactJson(carried.workflow, warn, file);
  if (carried.prompt !== undefined) {
    const prompt = parseExactJson(carried.prompt, warn, file);
    return { prompt, ...(workflow !== undefined && { workflow }) };
  }
  if (workflow !== undefined) return await convertSource(workflow, 'as-queued', file, warn, objectInfo);
  throw new LineageError('graph/malformed', 'expected a picture that embeds its prompt graph, got none', {
    file,
  });
}

async function convertSource(
  workflow: Json,
  texts: ConvertOptions['texts'],
  file: string,
  warn: WarningSink,
  objectInfo: string | undefined,
): Promise<GraphSource> {
  const definitions = await readNodeDefinitions(objectInfo);
  const prompt = inFile(file, () => convertWorkflow(workflow, definitions, { texts }, warn));
  if (Object.keys(prompt).length === 0) {
    const got = 'only a workflow in the editor format, in which no node runs';
    throw new LineageError('graph/malformed', `expected a prompt graph, got ${got}`, { file });
  }
  warn('workflow/converted', 'no prompt graph was there; it was made from the workflow', file);
  return { prompt, workflow };
}

/** The bytes of a picture and what they carry. */
export async function readPicture(file: string): Promise<{ bytes: Uint8Array; container: Container }> {
  const bytes = await readFileChecked(file, MAX_IMAGE_BYTES);
  return { bytes, container: inFile(file, () => readContainer(bytes)) };
}

/** A workflow given on its own. */
export async function readWorkflowFile(file: string, warn: WarningSink): Promise<Json> {
  return parseJsonBytes(await readFileChecked(file, MAX_JSON_BYTES), file, warn);
}

/**
 * The workflow in a document: the document itself, `{prompt, workflow}` as recorded, or
 * `{prompt, extra_data: {extra_pnginfo: {workflow}}}` as queued.
 */
export function workflowOf(document: Json): Json | undefined {
  if (isWorkflow(document)) return document;
  if (!isRecord(document)) return undefined;
  const extra = isRecord(document['extra_data']) ? document['extra_data']['extra_pnginfo'] : undefined;
  const workflow = document['workflow'] ?? (isRecord(extra) ? extra['workflow'] : undefined);
  return isRecord(workflow) && !('class_type' in workflow) ? (workflow as Json) : undefined;
}

/** Beside a workflow, or instead of one. */
function holdsPrompt(document: Json): boolean {
  if (!isRecord(document) || isWorkflow(document)) return false;
  return Object.entries(document).some(
    ([key, value]) => key === 'prompt' || (isRecord(value) && 'class_type' in value),
  );
}
