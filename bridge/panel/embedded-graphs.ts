import { readContainer } from '../../nodes/formats/container.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { type Json, parseExactJson } from '../../nodes/kit/exact-json.ts';
import { isRecord } from '../../nodes/kit/is-record.ts';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import type { Warning } from '../../nodes/kit/warnings.ts';
import { readCarried } from '../../nodes/metadata/carried.ts';

/** The graphs inside a picture, as ComfyUI wrote them; untrusted. */
export type EmbeddedGraphs = {
  readonly format: string;
  /** The editor's format: with positions. */
  readonly workflow?: Json;
  /** The API format: what was queued. */
  readonly prompt?: Json;
  readonly warnings: readonly Warning[];
};

/**
 * Takes the graphs out of a PNG, JPEG, WebP or AVIF. A front end reads PNG and WebP by itself; JPEG and AVIF come here.
 *
 * @param bytes the complete file; not modified, not retained
 * @throws LineageError `panel/no-graph`, `graph/malformed` and `graph/too-deep` for what is no graph, and the codes of
 *   `readContainer`
 */
export function readEmbeddedGraphs(bytes: Uint8Array): EmbeddedGraphs {
  const container = readContainer(bytes);
  const { workflow, prompt } = readCarried(container);
  if (workflow === undefined && prompt === undefined)
    throw new LineageError('panel/no-graph', `expected a graph in the ${container.format} file, got none`);
  const { warn, list: warnings } = createWarningLog();
  const read = (text: string, what: string): Json => {
    const value = parseExactJson(text, warn, what);
    if (isRecord(value)) return value;
    throw new LineageError('graph/malformed', `expected the ${what} to be an object, got something else`);
  };
  return {
    format: container.format,
    ...(workflow !== undefined && { workflow: read(workflow, 'workflow') }),
    ...(prompt !== undefined && { prompt: read(prompt, 'prompt') }),
    warnings,
  };
}
