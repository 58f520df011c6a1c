import { realpath } from 'node:fs/promises';
import { dirname } from 'node:path';
import { applyDelta } from '../../nodes/formats/byte-delta.ts';
import { detectImageFormat } from '../../nodes/formats/detect.ts';
import { LineageError } from '../../nodes/kit/errors.ts';
import { reasonOf } from '../local/system-error.ts';
import { isWithin } from '../local/within.ts';
import type { PackedEntry } from './journal-lines.ts';
import { readForReplacing, replaceFile } from './replace-file.ts';
import { sha256Of } from './sha256.ts';

/** What became of a file: restored, or it would be, or it is as before tagging already. */
export type FileUndone = 'restored' | 'would-restore' | 'untouched';

export type UndoFileOptions = {
  /** Real paths that the file must lie below. */
  readonly folders: readonly string[];
  readonly dryRun: boolean;
  /** Of the file as it is, and of what it becomes. */
  readonly maxBytes: number;
  /** Removes what killed runs left in a folder, once it is known to be one of the tagged ones. */
  readonly tidy: (folder: string) => Promise<void>;
  readonly signal: AbortSignal;
};

/**
 * Gives a file its bytes and times from before tagging, if it is exactly what tagging left.
 *
 * @throws LineageError `undo/changed` for a file that is neither; `undo/malformed` where the entry does not make the file
 *   that it promises; `path/outside`; and of reading and replacing
 */
export async function undoFile(entry: PackedEntry, options: UndoFileOptions): Promise<FileUndone> {
  const { file, before, after } = entry;
  await refuseOutside(file, options.folders);
  if (before.bytes > options.maxBytes) {
    const message = `expected an entry for at most ${options.maxBytes} bytes, got ${before.bytes}`;
    throw new LineageError('undo/malformed', message, { file });
  }
  if (!options.dryRun) await options.tidy(dirname(file));
  const { state, bytes } = await readForReplacing(file, options.maxBytes);
  const found = await sha256Of(bytes);
  if (found === before.sha256) return 'untouched';
  if (found !== after.sha256) {
    const message = 'expected the file that tagging left, got one that was changed since';
    throw new LineageError('undo/changed', message, { file });
  }
  const kept = entry.unpack();
  const restored = kept && applyDelta(bytes, { parts: entry.parts, kept });
  if (!restored || (await sha256Of(restored)) !== before.sha256) {
    const message = 'expected an entry that gives the old file, got one that does not';
    throw new LineageError('undo/malformed', message, { file });
  }
  // A journal may name any folder; it can still make nothing but pictures of pictures.
  if (detectImageFormat(bytes) === undefined || detectImageFormat(restored) === undefined)
    throw new LineageError('undo/malformed', 'expected a picture, got another file', { file });
  if (options.dryRun) return 'would-restore';
  options.signal.throwIfAborted();
  await replaceFile(file, state, restored, before);
  return 'restored';
}

/** A journal may come from anywhere: it reaches no further than the folders it was written for. */
async function refuseOutside(file: string, folders: readonly string[]): Promise<void> {
  let folder: string;
  try {
    folder = await realpath(dirname(file));
  } catch (error) {
    const message = `expected the folder of the file, got: ${reasonOf(error)}`;
    throw new LineageError('file/missing', message, { file }, { cause: error });
  }
  if (folder === dirname(file) && folders.some((root) => isWithin(root, folder))) return;
  throw new LineageError('path/outside', 'expected a file below the tagged folders, got one elsewhere', {
    file,
  });
}
