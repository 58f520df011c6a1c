import type { WarningSink } from '../../nodes/kit/warnings.ts';
import { parsePromptGraph } from '../../nodes/metadata/graph.ts';
import { type ClassShape, readClassShapes } from '../../nodes/metadata/rules/class-shapes.ts';
import { readFileChecked } from '../local/read-file.ts';
import { readGraphFile } from './graph-source.ts';
import { inFile, parseJsonBytes } from './json-file.ts';

/** An object info of a few thousand classes has 20 MiB. */
const MAX_BYTES = 256 * 1024 * 1024;

/** The classes in what a ComfyUI answers to `GET /object_info`. @throws LineageError of reading the file */
export async function readShapesFile(file: string): Promise<readonly ClassShape[]> {
  return readClassShapes(parseJsonBytes(await readFileChecked(file, MAX_BYTES), file, () => {}));
}

/**
 * How often graphs use each class type.
 *
 * @param objectInfo to read workflows by, where a file holds no prompt graph
 * @throws LineageError of reading a graph
 */
export async function countUses(
  files: readonly string[],
  objectInfo: string,
  warn: WarningSink,
): Promise<ReadonlyMap<string, number>> {
  const uses = new Map<string, number>();
  for (const file of files) {
    const { prompt } = await readGraphFile(file, warn, objectInfo);
    const graph = inFile(file, () => parsePromptGraph(prompt, warn));
    for (const { classType } of graph.values()) uses.set(classType, (uses.get(classType) ?? 0) + 1);
  }
  return uses;
}
