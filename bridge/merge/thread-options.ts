import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import type { WorkerOptions } from 'node:worker_threads';

/** What is large lies outside of the heap; left to itself, each heap lets 16 MB or more of small things lie about. */
const YOUNG_MB = 2;

/**
 * How all threads are started. Where the process keeps compiled code, a thread takes its own from there: without it each
 * one loads a compiler for its types, which is 13 MB and half of the time to start.
 */
export function threadOptions(workerData: unknown): WorkerOptions {
  const compiled = getCompileCacheDir();
  return {
    // Flags of this process (`--input-type`, `--inspect-brk`) are not meant for the thread.
    execArgv: [],
    workerData,
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    // A folder for each version of Node lies within the one that was named.
    ...(compiled && { env: { ...process.env, NODE_COMPILE_CACHE: dirname(compiled) } }),
  };
}
