import { Worker } from 'node:worker_threads';
import type { Plan } from './plan.ts';
import type { SharedState } from './shared-state.ts';
import { threadOptions } from './thread-options.ts';

export type HashStart = {
  readonly plan: Plan;
  readonly state: SharedState;
  /** The output, open for reading. */
  readonly file: number;
  readonly headerBytes: number;
};

/** SHA-256 in hexadecimal: of the whole file, and of what follows the header (AutoV3 is its first 12 digits). */
export type OutputHashes = { readonly sha256: string; readonly dataSha256: string };

export type OutputHasher = {
  /** Undefined where the job was stopped. */
  readonly hashes: Promise<OutputHashes | undefined>;
  /** When the thread touches the file no more. */
  readonly gone: Promise<void>;
};

/** Hashes in a thread of its own: of the units of a plan each one as soon as it and all before it are done. */
export function hashOutput(start: HashStart): OutputHasher {
  const worker = new Worker(new URL('./hash-output-worker.ts', import.meta.url), threadOptions(start));
  const { promise, resolve, reject } = Promise.withResolvers<OutputHashes | undefined>();
  worker.once('message', resolve);
  worker.once('error', reject);
  const gone = new Promise<void>((done) =>
    worker.once('exit', () => {
      resolve(undefined);
      done();
    }),
  );
  // Whoever stops the job does not ask for the hashes.
  promise.catch(() => undefined);
  return { hashes: promise, gone };
}
