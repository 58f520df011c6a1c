import { Worker } from 'node:worker_threads';
import { errorOf } from '../../local/thread-failure.ts';
import { threadOptions } from '../../merge/thread-options.ts';
import type { FromThread, ThreadResult, ThreadTask } from './step-thread-messages.ts';

/** How tasks are run. */
export type ThreadOptions = {
  /** At least 1; results do not depend on it. */
  readonly threads: number;
  /** Ends all threads at once. */
  readonly signal: AbortSignal;
};

/**
 * Runs tasks in threads, the next one wherever a thread is free.
 *
 * @param onDone called here, as tasks end: in any order. What it returns is awaited before the thread gets another.
 * @throws the reason of the signal; what a task or `onDone` throws first
 */
export async function runInThreads(
  tasks: readonly ThreadTask[],
  onDone: (result: ThreadResult, task: number) => void | Promise<void>,
  { threads, signal }: ThreadOptions,
): Promise<void> {
  signal.throwIfAborted();
  if (tasks.length === 0) return;
  const count = Math.max(1, Math.min(threads, tasks.length));
  const workers = Array.from(
    { length: count },
    () => new Worker(new URL('./step-thread.ts', import.meta.url), threadOptions(undefined)),
  );
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined);
  const abort = (): void => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  let next = 0;

  async function work(worker: Worker): Promise<void> {
    for (let at = next++; at < tasks.length; at = next++) {
      const { promise, resolve } = Promise.withResolvers<FromThread>();
      worker.once('message', resolve);
      worker.postMessage(tasks[at]);
      const answer = await Promise.race([promise, failed]);
      if (answer.kind === 'failed') throw errorOf(answer);
      await onDone(answer.result, at);
    }
  }

  try {
    for (const worker of workers) {
      worker.once('error', reject);
      worker.once('exit', (status) => reject(new Error(`a thread of a step ended with status ${status}`)));
    }
    await Promise.race([Promise.all(workers.map(work)), failed]);
  } finally {
    signal.removeEventListener('abort', abort);
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
