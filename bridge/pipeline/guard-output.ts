import { stat } from 'node:fs/promises';
import { LineageError } from '../../nodes/kit/errors.ts';
import { readHead } from '../local/read-file.ts';
import { codeOf } from '../local/system-error.ts';
import { STEP_KEY } from './describe-steps.ts';
import type { ExpectedOutput } from './output-state.ts';

/** Bytes of a header's length at the start of a safetensors file: u64, little-endian. */
const LENGTH_BYTES = 8;
/** Records of many generations are long, but what looks for one word need not read more. */
const HEADER_BYTES_MAX = 100_000_000;

/**
 * Sees to it that a result takes the place of nothing but what a step made before.
 *
 * @param mayReplace whoever runs it wants whatever file is there replaced.
 * @throws LineageError `output/exists`; `file/unwritable` for a folder, pipe or device
 */
export async function guardOutput({ files, index }: ExpectedOutput, mayReplace: boolean): Promise<void> {
  for (const { path } of files) {
    const there = await statIfThere(path);
    if (!there) continue;
    if (!there.isFile())
      throw new LineageError(
        'file/unwritable',
        'expected a file or a free name, got a folder, pipe or device',
        {
          file: path,
        },
      );
    if (!mayReplace && !(await tellsOfStep(path)))
      throw new LineageError(
        'output/exists',
        'expected a free name, or a file that a merge made, got another file',
        {
          file: path,
        },
      );
  }
  const there = index && (await statIfThere(index.path));
  if (there && !there.isFile())
    throw new LineageError(
      'file/unwritable',
      'expected a file or a free name, got a folder, pipe or device',
      {
        file: index.path,
      },
    );
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

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
