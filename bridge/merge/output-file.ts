import { createHash } from 'node:crypto';
import { closeSync, fchmodSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { readdir, realpath, rename, stat, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { codeOf } from '../local/system-error.ts';
import { removeIfThere, syncFolder, TEMPORARY_PREFIX, unwritable } from '../local/write-file.ts';
import { isAlive } from './is-alive.ts';
import { beginJournal, type JournalRow, readJournal } from './journal.ts';

/** A file that is being made under a temporary name, beside the name that it will have. */
export type OutputFile = {
  readonly file: number;
  /** The name that it will have. */
  readonly path: string;
  readonly journal: string;
  /** What an earlier run of the same job left, to be verified. */
  readonly claims: readonly JournalRow[];
  /** Puts the closed file in place of whatever had its name. */
  publish(flush: boolean): Promise<void>;
  close(): void;
  /** Of the closed file and its journal nothing remains. */
  discard(): Promise<void>;
  /** Lets another run of this process have the name, once `after` is over. */
  release(after?: Promise<unknown>): void;
};

/** Unfinished files of this process; a promise where the run is over and its threads are about to be. */
const OURS = new Map<string, 'in use' | Promise<void>>();

/**
 * Opens the unfinished file of an output, all of its size, with its header: one that an earlier run of the same job
 * left, where its process is gone, or a new one. What other jobs left of the same output goes. The name holds the
 * process that owns it, so that taking one over is one rename, which only one can do.
 *
 * @param identity of the job, where it keeps a journal.
 * @throws LineageError `file/unwritable`, also where the file system says that it has not enough room;
 *   `merge/busy` where this process makes the same output already
 */
export async function openOutput(
  out: string,
  header: Uint8Array,
  bytes: number,
  identity: string | undefined,
): Promise<OutputFile> {
  let file: number | undefined;
  const target = await followLinks(out);
  const folder = dirname(target);
  const key = createHash('sha256').update(basename(target)).digest('hex').slice(0, 16);
  const stem = `${TEMPORARY_PREFIX}merge-${key}.`;
  const path = join(folder, `${stem}${process.pid}`);
  const ending = OURS.get(path);
  if (ending === 'in use') {
    throw new LineageError('merge/busy', 'expected a file that nobody makes, got one in the making', {
      file: out,
    });
  }
  OURS.set(path, 'in use');
  await ending;
  const discard = async (): Promise<void> => {
    await removeIfThere(path);
    await removeIfThere(journalOf(path));
  };
  try {
    const mode = await modeOf(target);
    const claims = await takeOver(folder, stem, path, identity, bytes);
    if (claims.length === 0) await discard();
    await checkRoom(folder, path, bytes);
    file = openSync(path, claims.length === 0 ? 'wx+' : 'r+');
    ftruncateSync(file, bytes);
    if (mode !== undefined) fchmodSync(file, mode);
    writeHeader(file, header);
    if (identity !== undefined) await beginJournal(journalOf(path), identity, claims);
    const opened = file;
    let isClosed = false;
    return {
      file: opened,
      path: out,
      journal: journalOf(path),
      claims,
      async publish(flush) {
        await rename(path, target);
        if (flush) await syncFolder(folder);
        await removeIfThere(journalOf(path));
      },
      close() {
        if (!isClosed) closeSync(opened);
        isClosed = true;
      },
      discard,
      release(after) {
        const ended = Promise.allSettled([after]).then(() => undefined);
        OURS.set(path, ended);
        void ended.then(() => {
          if (OURS.get(path) === ended) OURS.delete(path);
        });
      },
    };
  } catch (error) {
    if (file !== undefined) closeSync(file);
    await discard();
    OURS.delete(path);
    throw isLineageError(error) ? error : unwritable(out, error);
  }
}

/** Of what processes that are gone left of this output, one file of this job becomes ours; the others are removed. */
async function takeOver(
  folder: string,
  stem: string,
  path: string,
  identity: string | undefined,
  bytes: number,
): Promise<readonly JournalRow[]> {
  const names = (await readdir(folder)).filter((name) => name.startsWith(stem));
  const owners = new Set(names.map((name) => Number.parseInt(name.slice(stem.length), 10)));
  let claims: readonly JournalRow[] = [];
  for (const owner of owners) {
    const left = join(folder, `${stem}${owner}`);
    if (Number.isNaN(owner) || (owner !== process.pid && (await isInUse(left, owner)))) continue;
    const rows = identity === undefined ? undefined : await readJournal(journalOf(left), identity);
    if (rows && rows.length > 0 && claims.length === 0 && (await sizeOf(left)) === bytes) {
      if (left !== path && !(await takeFile(left, path))) continue;
      claims = rows;
      if (left !== path) await removeIfThere(journalOf(left));
    } else if (left !== path || claims.length === 0) {
      await removeIfThere(left);
      await removeIfThere(journalOf(left));
    }
  }
  return claims;
}

async function isInUse(left: string, owner: number): Promise<boolean> {
  const there = (await statIfThere(left)) ?? (await statIfThere(journalOf(left)));
  return there !== undefined && isAlive(owner, there.mtimeMs);
}

/** False where another process was quicker. */
async function takeFile(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function journalOf(path: string): string {
  return `${path}.journal`;
}

/** Before hours of work rather than after. What is there already of an unfinished file needs no more room. */
async function checkRoom(folder: string, path: string, bytes: number): Promise<void> {
  const { bavail, bsize, blocks } = await statfs(folder);
  const there = ((await statIfThere(path))?.blocks ?? 0) * 512;
  const [free, needed] = [bavail * bsize, bytes - there];
  // Some file systems know neither.
  if (blocks === 0 || free >= needed) return;
  throw new LineageError('file/unwritable', `expected ${needed} bytes of free space, got ${free}`, {
    file: folder,
  });
}

function writeHeader(file: number, header: Uint8Array): void {
  for (let done = 0; done < header.length; )
    done += writeSync(file, header, done, header.length - done, done);
}

async function sizeOf(path: string): Promise<number | undefined> {
  return (await statIfThere(path))?.size;
}

async function modeOf(path: string): Promise<number | undefined> {
  const there = await statIfThere(path);
  if (there && !there.isFile()) throw new Error('expected a file, got a folder, pipe or device');
  return there && there.mode & 0o7777;
}

async function statIfThere(path: string) {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** A link is followed, and what it leads to is replaced. */
async function followLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return path;
    throw unwritable(path, error);
  }
}
