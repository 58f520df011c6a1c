/**
 * The thread that reads model files and hashes them: one job at a time, one read of each file for all its
 * digests. `hash-file.ts` is the other end of the line.
 */
import { createHash, type Hash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import type { FileHashes } from '../../nodes/kit/values.ts';
import { type FileIdentity, identityOf, sameIdentity } from './file-identity.ts';
import { reasonOf } from './system-error.ts';

export type HashJob = {
  readonly id: number;
  readonly path: string;
  /** One 32-bit cell; anything but 0 stops the job at its next chunk. Messages would wait until the job is done. */
  readonly stop: Int32Array<SharedArrayBuffer>;
};

export type HashReport =
  | { readonly id: number; readonly kind: 'progress'; readonly bytes: number; readonly total: number }
  | {
      readonly id: number;
      readonly kind: 'done';
      readonly hashes: FileHashes;
      readonly dataSha256?: string;
      readonly identity: FileIdentity;
    }
  | { readonly id: number; readonly kind: 'stopped' }
  /** The file was written to during both attempts. */
  | { readonly id: number; readonly kind: 'changing' }
  | { readonly id: number; readonly kind: 'failed'; readonly reason: string };

/**
 * Measured on a warm 1 GiB file: 128 KiB to 1 MiB all give 1.4 GB/s for one digest and 0.77 GB/s for two; from
 * 4 MiB on it falls, since the chunk no longer stays in the second-level cache between the two digests.
 */
const CHUNK_BYTES = 1 << 20;
const PROGRESS_BYTES = 16 << 20;

/** AutoV1 looks at this window only. */
const AUTO_V1_START = 0x100000;
const AUTO_V1_BYTES = 0x10000;

/** The safetensors crate reads no longer header. */
const HEADER_BYTES_MAX = 100_000_000;

const port = parentPort;
port?.on('message', (job: HashJob) => port.postMessage(answer(job)));

function answer(job: HashJob): HashReport {
  try {
    return readOnce(job) ?? readOnce(job) ?? { id: job.id, kind: 'changing' };
  } catch (error) {
    // Whatever the file system says belongs to the one who asked; the thread goes on with the next file.
    return { id: job.id, kind: 'failed', reason: reasonOf(error) };
  }
}

/** Undefined where the file was not the same before and after. */
function readOnce({ id, path, stop }: HashJob): HashReport | undefined {
  // Non-blocking, so that opening a named pipe comes back and can be refused.
  const file = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    const before = fstatSync(file, { bigint: true });
    if (!before.isFile()) throw new Error('expected a regular file, got a folder, pipe or device');
    const total = Number(before.size);
    const chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
    const sha256 = createHash('sha256');
    const autoV1 = createHash('sha256');
    const autoV3 = createHash('sha256');
    let tensorsStart: number | undefined;
    let reported = 0;
    let position = 0;

    while (position < total) {
      if (Atomics.load(stop, 0) !== 0) return { id, kind: 'stopped' };
      const read = fill(file, chunk, position, Math.min(CHUNK_BYTES, total - position));
      if (read === 0) break;
      const bytes = chunk.subarray(0, read);
      if (position === 0) tensorsStart = startOfTensors(bytes, total);
      sha256.update(bytes);
      updateWithin(autoV1, bytes, position, AUTO_V1_START, AUTO_V1_START + AUTO_V1_BYTES);
      if (tensorsStart !== undefined) updateWithin(autoV3, bytes, position, tensorsStart, total);
      position += read;
      if (position - reported >= PROGRESS_BYTES) {
        reported = position;
        port?.postMessage({ id, kind: 'progress', bytes: position, total } satisfies HashReport);
      }
    }

    const identity = identityOf(before);
    if (!sameIdentity(identity, identityOf(fstatSync(file, { bigint: true })))) return undefined;
    const whole = sha256.digest('hex');
    const dataSha256 = tensorsStart === undefined ? undefined : autoV3.digest('hex');
    const hashes: FileHashes = {
      sha256: whole,
      // A file of 1 MiB or less leaves the window empty, and the digest of nothing is e3b0c442 for all of them:
      // useless to tell files apart, but it is what A1111 computed and what old pictures say.
      autoV1: autoV1.digest('hex').slice(0, 8),
      autoV2: whole.slice(0, 10),
      ...(dataSha256 !== undefined && { autoV3: dataSha256.slice(0, 12) }),
    };
    return { id, kind: 'done', hashes, identity, ...(dataSha256 !== undefined && { dataSha256 }) };
  } finally {
    closeSync(file);
  }
}

/** Reads until `wanted` bytes are there or the file ends: a network file system may give less at a time. */
function fill(file: number, chunk: Buffer, position: number, wanted: number): number {
  let filled = 0;
  while (filled < wanted) {
    const read = readSync(file, chunk, filled, wanted - filled, position + filled);
    if (read === 0) break;
    filled += read;
  }
  return filled;
}

/** Feeds the part of `bytes` (which lie at `position` of the file) that falls between the offsets `from` and `to`. */
function updateWithin(hash: Hash, bytes: Buffer, position: number, from: number, to: number): void {
  const start = Math.max(from - position, 0);
  const end = Math.min(to - position, bytes.length);
  if (start < end) hash.update(bytes.subarray(start, end));
}

/**
 * Offset behind a safetensors header: its length (u64 LE), then JSON that opens with `{`. Undefined for any
 * other file; a pickle or a GGUF file read this way gives a length of more than the file.
 */
function startOfTensors(head: Buffer, total: number): number | undefined {
  if (head.length < 10) return undefined;
  const headerBytes = head.readBigUInt64LE(0);
  if (headerBytes < 2n || headerBytes > HEADER_BYTES_MAX || 8n + headerBytes > total) return undefined;
  return head[8] === 0x7b ? 8 + Number(headerBytes) : undefined;
}
