import { Worker } from 'node:worker_threads';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { FileHashes } from '../../nodes/kit/values.ts';
import type { FileIdentity } from './file-identity.ts';
import type { HashJob, HashReport } from './hash-worker.ts';

/** Bytes read so far and bytes in the file; called about every 16 MiB. */
type HashProgress = (bytes: number, totalBytes: number) => void;

type HashedFile = {
  readonly hashes: FileHashes;
  /** SHA-256 of a safetensors file behind its header, 64 digits; AutoV3 is its start. Absent for other files. */
  readonly dataSha256?: string;
  /** The state of the file that was read, from the open file itself: what a cache may be keyed by. */
  readonly identity: FileIdentity;
};

export type FileHasher = {
  /**
   * Reads a file once, off this thread, for all its hashes. Two callers that ask for one path while it is being
   * read share that read. An abort rejects this caller at once, and stops the reading within one chunk when
   * nobody else waits for it.
   * @throws LineageError `file/unreadable`, also when the file is written to during the first and a second attempt
   */
  hash(path: string, options?: { signal?: AbortSignal; onProgress?: HashProgress }): Promise<HashedFile>;
  /** Ends the thread; whoever still waits is rejected. The hasher may be used again. */
  close(): Promise<void>;
};

type Waiter = {
  readonly resolve: (file: HashedFile) => void;
  readonly reject: (reason: unknown) => void;
  readonly onProgress: HashProgress | undefined;
};

/** One file being read, or waiting for its turn. */
type Reading = HashJob & { readonly waiters: Set<Waiter> };

/**
 * One worker thread, started by the first request. It keeps the process alive only while it has work, so a
 * command that is done ends by itself. Files are read one after the other: two at once gain nothing on one disk.
 */
export function createFileHasher(): FileHasher {
  const readings = new Map<number, Reading>();
  let worker: Worker | undefined;
  let lastId = 0;

  function start(): Worker {
    // Flags of this process (`--input-type`, `--inspect-brk`) are not meant for the thread.
    const started = new Worker(new URL('./hash-worker.ts', import.meta.url), { execArgv: [] });
    started.on('message', receive);
    started.on('error', (error) => lose(started, error));
    started.on('exit', (code) => lose(started, new Error(`the hashing thread ended with status ${code}`)));
    return started;
  }

  function receive(report: HashReport): void {
    const reading = readings.get(report.id);
    if (!reading) return;
    if (report.kind === 'progress') {
      for (const { onProgress } of reading.waiters) onProgress?.(report.bytes, report.total);
      return;
    }
    readings.delete(reading.id);
    rest();
    const outcome = outcomeOf(report, reading.path);
    for (const { resolve, reject } of reading.waiters) {
      if (outcome instanceof Error) reject(outcome);
      else resolve(outcome);
    }
  }

  /** Lets the process end where nobody waits any more, even if the thread still hangs in a dead network disk. */
  function rest(): void {
    for (const reading of readings.values()) if (reading.waiters.size > 0) return;
    worker?.unref();
  }

  /** The thread is gone: fail what it was asked for, and let the next request start another. */
  function lose(lost: Worker, reason: Error): void {
    if (worker !== lost) return;
    worker = undefined;
    for (const reading of readings.values()) for (const waiter of reading.waiters) waiter.reject(reason);
    readings.clear();
  }

  function ask(path: string): Reading {
    for (const reading of readings.values()) if (reading.path === path && !isStopped(reading)) return reading;
    lastId += 1;
    const job: HashJob = { id: lastId, path, stop: new Int32Array(new SharedArrayBuffer(4)) };
    const reading: Reading = { ...job, waiters: new Set() };
    worker ??= start();
    worker.ref();
    readings.set(job.id, reading);
    worker.postMessage(job);
    return reading;
  }

  return {
    hash(path, { signal, onProgress } = {}) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      const { promise, resolve, reject } = Promise.withResolvers<HashedFile>();
      const reading = ask(path);
      const waiter: Waiter = { resolve, reject, onProgress };
      reading.waiters.add(waiter);
      const abort = (): void => {
        reading.waiters.delete(waiter);
        if (reading.waiters.size === 0) Atomics.store(reading.stop, 0, 1);
        rest();
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', abort, { once: true });
      return promise.finally(() => signal?.removeEventListener('abort', abort));
    },

    async close() {
      const closing = worker;
      if (!closing) return;
      lose(closing, new Error('the file hasher was closed'));
      await closing.terminate();
    },
  };
}

function isStopped(reading: Reading): boolean {
  return Atomics.load(reading.stop, 0) !== 0;
}

function outcomeOf(report: Exclude<HashReport, { kind: 'progress' }>, path: string): HashedFile | Error {
  switch (report.kind) {
    case 'done':
      return {
        hashes: report.hashes,
        identity: report.identity,
        ...(report.dataSha256 !== undefined && { dataSha256: report.dataSha256 }),
      };
    case 'failed':
      return new LineageError('file/unreadable', report.reason, { file: path });
    case 'changing': {
      const message = 'expected a file at rest, got one that changed while it was read';
      return new LineageError('file/unreadable', message, { file: path });
    }
    case 'stopped':
      return new Error('the hashing was stopped');
  }
}
