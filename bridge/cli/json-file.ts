import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { type Json, parseExactJson } from '../../nodes/kit/exact-json.ts';
import type { WarningSink } from '../../nodes/kit/warnings.ts';

/**
 * The JSON document that a file holds, numbers as it spells them.
 *
 * @throws LineageError `graph/malformed`, `graph/too-deep`
 */
export function parseJsonBytes(bytes: Uint8Array, file: string, warn: WarningSink): Json {
  return parseExactJson(decodeUtf8(bytes, file), warn, file);
}

function decodeUtf8(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LineageError('graph/malformed', 'expected UTF-8 text, got other bytes', { file }, { cause });
  }
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
