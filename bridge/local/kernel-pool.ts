import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { LineageError } from '../../nodes/kit/errors.ts';
import type { Kernel } from '../../nodes/kit/graph-node.ts';
import type { KernelJob, KernelReport } from './kernel-thread.ts';
import { createMemoryWatch, type MemoryWatch } from './memory-watch.ts';
import { type SharedCopies, shareMemory } from './share-memory.ts';
import { errorOf } from './thread-failure.ts';

/** Runs kernels off the main thread. */
export type KernelPool = {
  /**
   * Runs a kernel on an input and gives its output. Arrays over shared memory go to the thread and back as they are;
   * other large ones are moved into it once, a slice at a time.
   * @param signal stops it where it is: a thread that has begun is ended, so that the next job finds one.
   * @throws LineageError `kernel/too-slow`, `kernel/lost`, `run/memory-short`, what the kernel throws, and the reason of
   *   the signal
   */
  compute<I, O>(kernel: Kernel<I, O>, input: I, signal?: AbortSignal): Promise<O>;
  /** Starts a thread now, so that the first job need not wait for it. */
  warm(): void;
  /** Ends the threads; whoever still waits is rejected with `kernel/lost`. The pool may be used again. */
  close(): Promise<void>;
};

/**
 * Steps that run where they are called, in one turn of the event loop; what does not fit gets a thread, which costs
 * 0.1 ms to ask and 0.1 to 0.4 s to start. Measured on a small machine: 10 ns a step for bicubic, 35 ns for lanczos,
 * the slowest; so a turn grows by 9 ms at most.
 */
const INLINE_STEPS = 262_144;

/** As much as two of the largest pictures. */
const COUNTED_BYTES_MAX = 4 * 1024 ** 3;

/** One job, waiting or running. */
type Task = {
  readonly job: KernelJob;
  readonly milliseconds: number | undefined;
  /** What it will take in memory, about. */
  readonly bytes: number;
  readonly resolve: (output: unknown) => void;
  readonly reject: (reason: Error) => void;
};

/** A thread, and what it does now. */
type Thread = { readonly worker: Worker; task: Task | undefined; timer: NodeJS.Timeout | undefined };

/**
 * A pool of threads, one fewer than processors (but one), each started when there is a job that finds none idle. They
 * keep the process alive only while they work. A thread that ends fails its job alone; the next job starts another.
 *
 * @param startThread starts a thread whose module calls `serveKernels`.
 * @param memory is asked before each job that takes much.
 */
export function createKernelPool(
  startThread: () => Worker = startBuiltinThread,
  memory: MemoryWatch = createMemoryWatch(),
): KernelPool {
  const size = Math.max(1, availableParallelism() - 1);
  const threads = new Set<Thread>();
  const waiting: Task[] = [];
  const copies: SharedCopies = new WeakMap();
  let stepsThisTurn = 0;

  function start(): Thread {
    const started: Thread = { worker: startThread(), task: undefined, timer: undefined };
    started.worker.on('message', (report: KernelReport) => finish(started, report));
    started.worker.on('messageerror', (error) => lose(started, lost(error)));
    started.worker.on('error', (error) => lose(started, lost(error)));
    started.worker.on('exit', (status) => lose(started, lost(new Error(`it ended with status ${status}`))));
    threads.add(started);
    return started;
  }

  /** Hands waiting jobs to idle threads, and starts threads while there are too few. */
  function dispatch(): void {
    while (waiting.length > 0) {
      const idle = [...threads].find(({ task }) => !task) ?? (threads.size < size ? start() : undefined);
      const task = idle && waiting.shift();
      if (!idle || !task) return;
      try {
        // Not before: what earlier jobs take is only known now.
        memory.check(task.bytes);
      } catch (error) {
        task.reject(error instanceof Error ? error : lost(new Error(String(error))));
        continue;
      }
      idle.task = task;
      idle.worker.ref();
      if (task.milliseconds !== undefined) {
        idle.timer = setTimeout(() => lose(idle, tooSlow(task)), task.milliseconds);
      }
      idle.worker.postMessage(task.job);
    }
  }

  function finish(done: Thread, report: KernelReport): void {
    const task = done.task;
    clearTimeout(done.timer);
    done.task = undefined;
    done.worker.unref();
    if (report.kind === 'done') task?.resolve(report.output);
    else task?.reject(errorOf(report));
    dispatch();
  }

  /** The thread is gone, or is to go: fail what it does, and let the next job have another. */
  function lose(gone: Thread, reason: Error): void {
    if (!threads.delete(gone)) return;
    clearTimeout(gone.timer);
    gone.worker.unref();
    void gone.worker.terminate();
    gone.task?.reject(reason);
    dispatch();
  }

  /** Nobody waits for it any more. */
  function abandon(task: Task, reason: Error): void {
    const at = waiting.indexOf(task);
    if (at >= 0) waiting.splice(at, 1);
    const runs = [...threads].find((thread) => thread.task === task);
    if (runs) lose(runs, reason);
    else task.reject(reason);
  }

  /** Whether these steps still fit into this turn; then they count. */
  function fitsThisTurn(steps: number | undefined): boolean {
    if (steps === undefined || stepsThisTurn + steps > INLINE_STEPS) return false;
    if (stepsThisTurn === 0) setImmediate(() => (stepsThisTurn = 0)).unref();
    stepsThisTurn += Math.max(1, steps);
    return true;
  }

  return {
    async compute<I, O>(kernel: Kernel<I, O>, input: I, signal?: AbortSignal): Promise<O> {
      const steps = kernel.steps?.(input);
      if (fitsThisTurn(steps)) return kernel.run(input);
      const job = { kernel: kernel.name, input: await shareMemory(input, copies) };
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      signal?.throwIfAborted();
      // Kernels refuse pictures that are larger themselves, and say it better.
      const bytes = Math.min((steps ?? 0) * Float32Array.BYTES_PER_ELEMENT, COUNTED_BYTES_MAX);
      const task = { job, milliseconds: kernel.milliseconds, bytes, resolve, reject };
      const stop = (): void => abandon(task, reasonOf(signal));
      signal?.addEventListener('abort', stop, { once: true });
      waiting.push(task);
      dispatch();
      try {
        // The edge of a thread: what comes back is what this kernel's `run` gave there.
        return (await promise) as O;
      } finally {
        signal?.removeEventListener('abort', stop);
      }
    },

    warm() {
      if (threads.size === 0) start().worker.unref();
    },

    async close() {
      const closing = [...threads];
      threads.clear();
      const reason = lost(new Error('the pool was closed'));
      for (const task of waiting.splice(0)) task.reject(reason);
      for (const { task, timer } of closing) {
        clearTimeout(timer);
        task?.reject(reason);
      }
      await Promise.all(closing.map(({ worker }) => worker.terminate()));
    },
  };
}

function startBuiltinThread(): Worker {
  // Flags of this process (`--input-type`, `--inspect-brk`) are not meant for the thread.
  return new Worker(new URL('./kernel-worker.ts', import.meta.url), { execArgv: [] });
}

function lost(cause: Error): LineageError {
  return new LineageError(
    'kernel/lost',
    `expected a result, lost the thread: ${cause.message}`,
    {},
    { cause },
  );
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : lost(new Error('it was stopped'));
}

function tooSlow({ job, milliseconds }: Task): LineageError {
  return new LineageError('kernel/too-slow', `expected ${job.kernel} to take ${milliseconds} ms at most`);
}
