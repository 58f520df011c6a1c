import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { codeOf } from '../local/system-error.ts';
import { syncFolder, unwritable } from '../local/write-file.ts';
import {
  formatEntry,
  formatHead,
  type JournalHead,
  LINE_BYTES_MAX,
  PARTS_MAX,
  type UndoEntry,
} from './journal-lines.ts';

/** Takes down how to make each file again, before that file is replaced. */
export type UndoJournal = {
  /**
   * Adds an entry and waits until it will outlive a power cut. Entries that come meanwhile share a flush.
   * @throws LineageError `file/unwritable`, also for every later entry; `undo/too-large`, for this one alone
   */
  append(entry: UndoEntry): Promise<void>;
  /** The file, once there is one: it is made with the first entry. */
  path(): string | undefined;
  /** Why it can no longer be written, the very error that `append` throws. */
  failure(): LineageError | undefined;
  close(): Promise<void>;
};

type Waiting = {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (why: unknown) => void;
};

/**
 * A journal that is made when it is needed. A file of its name is never written to.
 *
 * @param path its folder is made where it is missing.
 */
export function createJournal(path: string, head: JournalHead): UndoJournal {
  let file: FileHandle | undefined;
  let failed: LineageError | undefined;
  let waiting: Waiting[] = [];
  let flushing: Promise<void> | undefined;

  async function begin(): Promise<FileHandle> {
    await mkdir(dirname(path), { recursive: true });
    const begun = await openNew(path);
    file = begun;
    await begun.writeFile(formatHead(head));
    await syncFolder(dirname(path));
    return begun;
  }

  async function flush(): Promise<void> {
    // So that who starts it can say that it runs, before it can end.
    await null;
    while (waiting.length > 0) {
      const turn = waiting;
      waiting = [];
      try {
        if (failed) throw failed;
        const open = file ?? (await begin());
        for (const { line } of turn) await open.writeFile(line);
        await open.datasync();
        for (const { resolve } of turn) resolve();
      } catch (error) {
        // What follows a line that was cut off could not be told from it.
        failed ??= isLineageError(error) ? error : unwritable(path, error);
        for (const { reject } of turn) reject(failed);
      }
    }
    flushing = undefined;
  }

  return {
    async append(entry) {
      if (entry.parts.length > PARTS_MAX) throw tooLarge(entry);
      const line = formatEntry(entry);
      if (Buffer.byteLength(line) > LINE_BYTES_MAX) throw tooLarge(entry);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiting.push({ line, resolve, reject });
      flushing ??= flush();
      await promise;
    },
    path: () => (file ? path : undefined),
    failure: () => failed,
    async close() {
      await flushing;
      await file?.close();
    },
  };
}

async function openNew(path: string): Promise<FileHandle> {
  try {
    // It holds the prompts of the pictures.
    return await open(path, 'wx', 0o600);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    const message = 'expected a free name for the journal, got one that is taken';
    throw new LineageError('output/exists', message, { file: path }, { cause: error });
  }
}

function tooLarge({ file, kept, parts }: UndoEntry): LineageError {
  const got = `${kept.length} bytes in ${parts.length} parts`;
  const message = `expected to replace less than the journal can keep of a file, got ${got}`;
  return new LineageError('undo/too-large', message, { file });
}
