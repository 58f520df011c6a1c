import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { LineageError } from '../../nodes/kit/errors.ts';
import { codeOf, reasonOf } from './system-error.ts';

/**
 * What a path leads to, through links; undefined where there is nothing. Numbers of files are 64 bits wide on some
 * systems, hence bigint.
 *
 * @throws LineageError `file/unreadable` where that cannot be told
 */
export async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    // A file where a folder should be: nothing can be in it.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
    throw new LineageError('file/unreadable', reasonOf(error), { file: path }, { cause: error });
  }
}
