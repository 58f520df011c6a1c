import { randomUUID } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, lstat, open, rename } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { identityOf, sameIdentity } from '../local/file-identity.ts';
import { hashText } from '../local/hash-text.ts';
import { codeOf, reasonOf } from '../local/system-error.ts';
import { removeIfThere, TEMPORARY_PREFIX, unwritable } from '../local/write-file.ts';

/** The state of a file when it was opened, and its bytes. */
export type OpenedFile = {
  readonly state: BigIntStats;
  readonly bytes: Uint8Array<ArrayBuffer>;
};

/** What a file gets for its times, in nanoseconds since 1970. */
export type FileTimes = { readonly atimeNs: bigint; readonly mtimeNs: bigint };

/** Temporary files of one process on one machine: whoever finds them later can tell whether it still runs. */
export const OWN_PREFIX = `${TEMPORARY_PREFIX}tag-${machineName()}-`;

const RUN = randomUUID().slice(0, 8);
let made = 0;

/**
 * Reads a file that is to be replaced.
 *
 * @param reserve is asked to wait until so many bytes may be read.
 * @throws LineageError `file/missing`; `file/unreadable`, also for folders, pipes, devices and files over `maxBytes`;
 *   `file/changed` where it is written to meanwhile
 */
export async function readForReplacing(
  path: string,
  maxBytes: number,
  reserve: (bytes: number) => Promise<void> = async () => {},
): Promise<OpenedFile> {
  let file: FileHandle | undefined;
  try {
    // Non-blocking, so that opening a named pipe comes back; not through a link that was laid since the path was found.
    const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0);
    file = await open(path, flags);
    const state = await file.stat({ bigint: true });
    if (!state.isFile()) throw unreadable(path, 'expected a file, got a folder, pipe or device');
    if (state.size > maxBytes)
      throw unreadable(path, `expected at most ${maxBytes} bytes, got ${state.size}`);
    await reserve(Number(state.size));
    const bytes = new Uint8Array(Number(state.size));
    let filled = 0;
    while (filled < bytes.length) {
      const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, filled);
      if (bytesRead === 0) throw changed(path);
      filled += bytesRead;
    }
    if (!isUntouched(state, await file.stat({ bigint: true }))) throw changed(path);
    return { state, bytes };
  } catch (error) {
    if (!isOfSystem(error)) throw error;
    const code = codeOf(error) === 'ENOENT' ? 'file/missing' : 'file/unreadable';
    throw new LineageError(
      code,
      `expected a file, got: ${reasonOf(error)}`,
      { file: path },
      { cause: error },
    );
  } finally {
    await file?.close();
  }
}

/**
 * Replaces a file in one step, with its mode and owner. Between the last look at the file and the step is a moment that
 * no system closes; what another program writes in it would be lost.
 *
 * @param was the state in which the file was read; where it is in another by now, nothing is done.
 * @param ready is waited for when the new file is written and flushed: the last moment to stop it.
 * @throws LineageError `file/changed`, `file/unwritable`, and what `ready` throws
 */
export async function replaceFile(
  path: string,
  was: BigIntStats,
  bytes: Uint8Array,
  times: FileTimes | undefined,
  ready: () => Promise<void> = async () => {},
): Promise<void> {
  const temporary = join(dirname(path), `${OWN_PREFIX}${process.pid}-${RUN}-${made++}`);
  try {
    try {
      await writeLike(temporary, was, bytes, times);
      await ready();
      if (!isUntouched(was, await lstat(path, { bigint: true }))) throw changed(path);
      await rename(temporary, path);
    } catch (error) {
      await removeIfThere(temporary);
      throw error;
    }
  } catch (error) {
    // What `ready` throws is not about this file.
    throw isOfSystem(error) ? unwritable(path, error) : error;
  }
}

async function writeLike(
  path: string,
  was: BigIntStats,
  bytes: Uint8Array,
  times: FileTimes | undefined,
): Promise<void> {
  // Nobody may read it before it has the mode of the old one.
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    const own = await file.stat({ bigint: true });
    // Somebody else's file must stay theirs; where that cannot be, the system says so and nothing is done.
    if (own.uid !== was.uid || own.gid !== was.gid) await file.chown(Number(was.uid), Number(was.gid));
    await file.chmod(Number(was.mode & 0o7777n));
    if (times) await file.utimes(timeArgument(times.atimeNs), timeArgument(times.mtimeNs));
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * Seconds as a double, which today are 0.24 µs apart. A time of whole microseconds stays that; of any other the nearest
 * is taken, which is what programs that read times as doubles saw before.
 */
export function toSeconds(ns: bigint): number {
  let seconds = Number(ns / 1_000_000_000n) + Number(ns % 1_000_000_000n) / 1e9;
  const isWholeMicroseconds = ns % 1000n === 0n;
  while (isWholeMicroseconds && toNanoseconds(seconds) < ns)
    seconds += 2 ** (Math.floor(Math.log2(Math.abs(seconds) || 1)) - 52);
  return seconds;
}

/** As text, since Node takes a number below 0, a time before 1970, for now. */
function timeArgument(ns: bigint): string {
  return String(toSeconds(ns));
}

/** As the system cuts it. */
function toNanoseconds(seconds: number): bigint {
  const whole = Math.floor(seconds);
  return BigInt(whole) * 1_000_000_000n + BigInt(Math.floor((seconds - whole) * 1e9));
}

/** Neither ours nor the reason of a signal. */
function isOfSystem(error: unknown): boolean {
  return !isLineageError(error) && codeOf(error) !== '';
}

function isUntouched(was: BigIntStats, now: BigIntStats): boolean {
  return sameIdentity(identityOf(was), identityOf(now));
}

function changed(path: string): LineageError {
  return new LineageError('file/changed', 'expected a file at rest, got one that was changed meanwhile', {
    file: path,
  });
}

function unreadable(path: string, message: string): LineageError {
  return new LineageError('file/unreadable', message, { file: path });
}

function machineName(): string {
  return hashText(hostname()).slice(0, 8);
}
