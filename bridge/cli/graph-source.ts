import { type Container, readContainer } from '../../nodes/formats/container.ts';
import { detectImageFormat } from '../../nodes/formats/detect.ts';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { type Json, parseExactJson } from '../../nodes/kit/exact-json.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';
import { readFileChecked } from '../local/read-file.ts';

/** A prompt graph and the workflow that came with it, parsed but not yet looked into. */
export type GraphSource = { readonly prompt: Json; readonly workflow?: Json };

/** The longest workflows met are about 2 MiB. */
const MAX_JSON_BYTES = 64 * 1024 * 1024;
export const MAX_IMAGE_BYTES = 1024 * 1024 * 1024;

/**
 * Reads a prompt graph from a file: the graph itself, a queue request, a recorded pair, or a picture that embeds it.
 *
 * @throws LineageError `file/missing`, `file/unreadable`, `graph/malformed`
 */
export async function readGraphFile(file: string, warn: WarningSink): Promise<GraphSource> {
  const bytes = await readFileChecked(file, MAX_IMAGE_BYTES);
  if (detectImageFormat(bytes) !== undefined)
    return graphOfImage(
      inFile(file, () => readContainer(bytes)),
      file,
      warn,
    );
  return fromDocument(parseExactJson(decodeJson(bytes, file), warn, file));
}

/**
 * The graph that a picture embeds.
 *
 * @throws LineageError `graph/malformed` where it embeds none
 */
export function graphOfImage(container: Container, file: string, warn: WarningSink): GraphSource {
  const { prompt, workflow } = readCarried(container);
  if (prompt === undefined) {
    const got = workflow === undefined ? 'none' : 'only a workflow in the editor format';
    throw new LineageError('graph/malformed', `expected a picture that embeds its prompt graph, got ${got}`, {
      file,
    });
  }
  const graph = parseExactJson(prompt, warn, file);
  return { prompt: graph, ...(workflow !== undefined && { workflow: parseExactJson(workflow, warn, file) }) };
}

/** The bytes of a picture and what they carry. */
export async function readPicture(file: string): Promise<{ bytes: Uint8Array; container: Container }> {
  const bytes = await readFileChecked(file, MAX_IMAGE_BYTES);
  return { bytes, container: inFile(file, () => readContainer(bytes)) };
}

/** Adds the name of a file to what goes wrong in it: code that works on bytes does not know it. */
export function inFile<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!isLineageError(error)) throw error;
    throw new LineageError(error.code, error.message, { ...error.where, file }, { cause: error });
  }
}

/** A workflow given on its own. */
export async function readWorkflowFile(file: string, warn: WarningSink): Promise<Json> {
  return parseExactJson(decodeJson(await readFileChecked(file, MAX_JSON_BYTES), file), warn, file);
}

/** `{prompt, workflow}` as recorded, or `{prompt, extra_data: {extra_pnginfo: {workflow}}}` as queued. */
function fromDocument(document: Json): GraphSource {
  if (!isRecord(document)) return { prompt: document };
  const extra = isRecord(document['extra_data']) ? document['extra_data']['extra_pnginfo'] : undefined;
  const workflow = document['workflow'] ?? (isRecord(extra) ? extra['workflow'] : undefined);
  const holdsWorkflow = isRecord(workflow) && !('class_type' in workflow);
  return { prompt: document as Json, ...(holdsWorkflow && { workflow: workflow as Json }) };
}

function decodeJson(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LineageError('graph/malformed', 'expected UTF-8 text, got other bytes', { file }, { cause });
  }
}
