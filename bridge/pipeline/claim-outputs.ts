import { mkdir, open, readdir, realpath, rmdir, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { LineageError } from '../../nodes/kit/errors.ts';
import { codeOf } from '../local/system-error.ts';
import { removeIfThere, TEMPORARY_PREFIX, unwritable } from '../local/write-file.ts';
import { isAlive } from '../merge/is-alive.ts';
import { type GuardedOutput, pathsOf } from './guard-output.ts';
import { keyOfName } from './output-state.ts';
import { removeEmptyTemp } from './temporary-files.ts';

/** Outputs that one run alone makes and deletes, until it lets go of them. */
export type Claims = {
  /** Where the outputs lie. */
  readonly folders: readonly string[];
  release(): Promise<void>;
};

/** A claim is an empty file: its name holds which output, and which process. */
const PREFIX = `${TEMPORARY_PREFIX}run-`;
const CLAIM = /^\.lineage-tmp-run-([0-9a-f]{16})\.(\d+)$/;
/** Two that begin at once see each other and both withdraw; who then comes first has it. */
const ATTEMPTS = 4;
const WAIT_MS = 40;
/** How often a folder is made that other runs take away before a claim lies in it. */
const FOLDER_ATTEMPTS = 50;
/** Claims of this process, by the real path. */
const OURS = new Set<string>();

/**
 * Claims all outputs of a run, temporary ones too, or none. A run that reads a result in between must not find it
 * deleted by another one, and two must not seal one file. What processes that are gone have claimed is free.
 *
 * @throws LineageError `merge/busy`, which names the process that has one; `file/unwritable`; the reason of the signal
 */
export async function claimOutputs(outputs: readonly GuardedOutput[], signal: AbortSignal): Promise<Claims> {
  const byFolder = Map.groupBy(outputs.flatMap(pathsOf), dirname);
  for (let attempt = 1; ; attempt++) {
    const claims = openClaims();
    try {
      let taken: Taken | undefined;
      for (const [folder, paths] of byFolder) taken ??= await claims.take(folder, paths);
      if (!taken) return { folders: [...byFolder.keys()], release: claims.release };
      if (attempt === ATTEMPTS || taken.pid === process.pid) throw busy(taken);
    } catch (error) {
      await claims.release();
      throw error;
    }
    await claims.release();
    await new Promise((resolve) => setTimeout(resolve, WAIT_MS * (1 + Math.random())));
    signal.throwIfAborted();
  }
}

/** An output that somebody else makes. */
type Taken = { readonly path: string; readonly pid: number };

function busy({ path, pid }: Taken): LineageError {
  const by = pid === process.pid ? 'another run of this process' : `process ${pid}`;
  return new LineageError(
    'merge/busy',
    `expected an output that nobody else makes, got one that ${by} makes`,
    { file: path },
  );
}

function openClaims() {
  const files: string[] = [];
  const made: { readonly first: string; readonly folder: string }[] = [];

  /** Undefined where all of them are ours now. */
  async function take(folder: string, paths: readonly string[]): Promise<Taken | undefined> {
    for (let attempt = 1; ; attempt++) {
      try {
        const real = await makeFolder(folder);
        // What is there can be used where nothing can be written; making anything there fails by itself.
        return real === undefined ? undefined : await takeIn(real, paths);
      } catch (error) {
        if (error instanceof LineageError) throw error;
        // Another run made the folder, and took it away empty before our claim was in it.
        if (codeOf(error) !== 'ENOENT' || attempt === FOLDER_ATTEMPTS) throw unwritable(folder, error);
      }
    }
  }

  async function takeIn(real: string, paths: readonly string[]): Promise<Taken | undefined> {
    for (const path of paths) {
      const file = join(real, `${PREFIX}${keyOfName(basename(path))}.${process.pid}`);
      if (!files.includes(file)) {
        if (OURS.has(file)) return { path, pid: process.pid };
        OURS.add(file);
        files.push(file);
      }
      if (!(await putClaim(file))) break;
    }
    return await findRival(real, paths);
  }

  async function makeFolder(folder: string): Promise<string | undefined> {
    try {
      const first = await mkdir(folder, { recursive: true });
      if (first !== undefined) made.push({ first, folder });
      return await realpath(folder);
    } catch (error) {
      if (isRefused(error)) return undefined;
      throw error;
    }
  }

  return {
    take,
    async release(): Promise<void> {
      await Promise.all(files.map((file) => removeIfThere(file).catch(() => undefined)));
      for (const file of files) OURS.delete(file);
      for (const folder of new Set(files.map((file) => dirname(file)))) await removeEmptyTemp(folder);
      for (const { first, folder } of made.toReversed()) await removeEmpty(folder, first);
    },
  };
}

/** False where nothing can be written. A claim with our number that is not in the list is that of a process long gone. */
async function putClaim(file: string): Promise<boolean> {
  try {
    await (await open(file, 'w')).close();
    // One that was there already would be as old as its process.
    const now = new Date();
    await utimes(file, now, now);
    return true;
  } catch (error) {
    if (isRefused(error)) return false;
    throw error;
  }
}

/** Whoever else has claimed one of these. Each puts its claim before it looks, so of two at least one sees the other. */
async function findRival(folder: string, paths: readonly string[]): Promise<Taken | undefined> {
  const claims = await listClaims(folder);
  for (const path of paths) {
    const pid = claims.get(keyOfName(basename(path)))?.find((owner) => owner !== process.pid);
    if (pid !== undefined) return { path, pid };
  }
  return undefined;
}

/**
 * The processes that have claimed something in a folder, this one too, by the key of the output's name. Claims of
 * processes that are gone are removed.
 */
export async function listClaims(folder: string): Promise<ReadonlyMap<string, readonly number[]>> {
  const owners = new Map<string, readonly number[]>();
  for (const name of await readdir(folder)) {
    const [, key, owner] = CLAIM.exec(name) ?? [];
    if (key === undefined || owner === undefined) continue;
    const [file, pid] = [join(folder, name), Number(owner)];
    if (await isHeld(file, pid)) owners.set(key, [...(owners.get(key) ?? []), pid]);
    else await removeIfThere(file);
  }
  return owners;
}

async function isHeld(file: string, pid: number): Promise<boolean> {
  if (pid === process.pid) return OURS.has(file);
  try {
    return isAlive(pid, (await stat(file)).mtimeMs);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw unwritable(file, error);
  }
}

/** Folders that a run made and left empty, from the innermost up to the first. */
async function removeEmpty(folder: string, first: string): Promise<void> {
  try {
    await rmdir(folder);
    if (folder !== first) await removeEmpty(dirname(folder), first);
  } catch {
    // Something is in it, or it went before: it stays.
  }
}

/** By permissions, or by a disk that is read-only or full. */
function isRefused(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'].includes(codeOf(error));
}
