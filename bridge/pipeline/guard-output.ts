import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { PlannedStep } from '../../nodes/pipeline/plan-pipeline.ts';
import { readHead } from '../local/read-file.ts';
import { statIfThere } from '../local/stat-if-there.ts';
import { unwritable } from '../local/write-file.ts';
import { STEP_KEY } from './describe-steps.ts';
import { type ExpectedOutput, expectOutput } from './output-state.ts';

/** Where a step will write. */
export type GuardedOutput = { readonly files: ExpectedOutput; readonly isTemporary: boolean };

/** Whoever runs it wants results that stay to take the place of whatever file is there. */
export type GuardOptions = { readonly force?: boolean };

/** Bytes of a header's length at the start of a safetensors file: u64, little-endian. */
const LENGTH_BYTES = 8;
/** Records of many generations are long, but what looks for one word need not read more. */
const HEADER_BYTES_MAX = 100_000_000;

/** The outputs of all steps that may write one. */
export function outputsOf(
  steps: Iterable<PlannedStep>,
  pathOf: (spelled: string) => string,
): readonly GuardedOutput[] {
  return [...steps].flatMap(({ runs, writes, output }) => {
    if (runs === 'no' || writes !== 'file' || !output) return [];
    const { path, predicted, isTemporary } = output;
    return [{ files: expectOutput(path, predicted, pathOf), isTemporary }];
  });
}

/** Every path of an output. */
export function pathsOf({ files: { files, index } }: GuardedOutput): readonly string[] {
  return [...files.map(({ path }) => path), ...(index ? [index.path] : [])];
}

/**
 * Before anything is made: what `guardOutput` says of each output, and whether a new one could be written where it is to
 * be. A result that is there already may lie where nobody can write.
 *
 * @throws LineageError as `guardOutput`
 */
export async function guardOutputs(outputs: readonly GuardedOutput[], options: GuardOptions): Promise<void> {
  for (const output of outputs) {
    await guardOutput(output, options);
    for (const path of pathsOf(output)) if (!(await statIfThere(path))) await guardFolder(path);
  }
}

/**
 * Sees to it that a result takes the place of nothing but what a step made before.
 *
 * @throws LineageError `output/exists`; `file/unwritable` for a folder, pipe or device
 */
export async function guardOutput(output: GuardedOutput, { force }: GuardOptions): Promise<void> {
  const mayReplace = force === true && !output.isTemporary;
  for (const path of pathsOf(output)) {
    const there = await statIfThere(path);
    if (!there) continue;
    const expected = 'expected a file or a free name, got a folder, pipe or device';
    if (!there.isFile()) throw new LineageError('file/unwritable', expected, { file: path });
    if (mayReplace || path === output.files.index?.path || (await tellsOfStep(path))) continue;
    throw new LineageError(
      'output/exists',
      'expected a free name, or a file that a merge made, got another file',
      { file: path },
    );
  }
}

/** Folders that are missing are made: then the nearest one that is there has to take them. */
async function guardFolder(path: string): Promise<void> {
  let folder = dirname(path);
  let there = await statIfThere(folder);
  while (!there && dirname(folder) !== folder) {
    folder = dirname(folder);
    there = await statIfThere(folder);
  }
  try {
    if (!there?.isDirectory()) throw new Error(`${folder} is no folder`);
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unwritable(path, error);
  }
}

/** Looks for the word alone: a result that was cut or damaged is still ours to make again. */
async function tellsOfStep(path: string): Promise<boolean> {
  const first = await readHead(path, LENGTH_BYTES);
  if (first.length < LENGTH_BYTES) return false;
  const length = new DataView(first.buffer, first.byteOffset, first.length).getBigUint64(0, true);
  if (length > HEADER_BYTES_MAX) return false;
  const head = await readHead(path, LENGTH_BYTES + Number(length));
  return Buffer.from(head.buffer, head.byteOffset, head.length).includes(`"${STEP_KEY}":"`);
}
