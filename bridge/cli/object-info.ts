import { readFileSync } from 'node:fs';
import { isRecord } from '../../nodes/kit/is-record.ts';
import { type NodeDefinitions, parseNodeDefinitions } from '../../nodes/workflow/node-definitions.ts';
import { readFileChecked } from '../local/read-file.ts';
import { inFile, parseJsonBytes } from './json-file.ts';

/** ComfyUI's own classes, one a line; tests/conformance/record-object-info.ts writes it. */
const CORE = new URL('../../nodes/workflow/core-object-info.jsonl', import.meta.url);

/** An object info of a few thousand classes has 20 MiB. */
const MAX_BYTES = 256 * 1024 * 1024;

/**
 * The classes that a workflow is read by.
 *
 * @param file what a running ComfyUI answers to `GET /object_info`; without one ComfyUI's own classes, as of 0.8
 * @throws LineageError `workflow/object-info`, and of reading the file
 */
export function readNodeDefinitions(file: string | undefined): Promise<NodeDefinitions> {
  const reading = known.get(file) ?? readAnew(file);
  known.set(file, reading);
  return reading;
}

/** A command that looks at ten thousand pictures reads them once. */
const known = new Map<string | undefined, Promise<NodeDefinitions>>();

async function readAnew(file: string | undefined): Promise<NodeDefinitions> {
  if (file === undefined) return coreDefinitions();
  const bytes = await readFileChecked(file, MAX_BYTES);
  return inFile(file, () => parseNodeDefinitions(parseJsonBytes(bytes, file, () => {})));
}

/** ComfyUI's own classes. */
export function coreDefinitions(): NodeDefinitions {
  const lines = readFileSync(CORE, 'utf8').trim().split('\n');
  const classes = lines.map((line): unknown => JSON.parse(line)).filter(isRecord);
  return parseNodeDefinitions(Object.fromEntries(classes.map((each) => [String(each['name']), each])));
}
