/**
 * What passes between the threads of the kernel pool and their owner, and the end in the thread.
 */
import { parentPort } from 'node:worker_threads';
import type { AnyKernel } from '../../nodes/kit/graph-node.ts';
import { failureOf, type ThreadFailure } from './thread-failure.ts';

/** One run of a kernel; a thread has one at a time. */
export type KernelJob = { readonly kernel: string; readonly input: unknown };

/** What became of it. */
export type KernelReport = { readonly kind: 'done'; readonly output: unknown } | ThreadFailure;

/** Answers the owner of this thread, job after job, with these kernels. */
export function serveKernels(kernels: readonly AnyKernel[]): void {
  const byName = new Map(kernels.map((kernel) => [kernel.name, kernel]));
  const port = parentPort;
  port?.on('message', (job: KernelJob) => port.postMessage(run(byName, job)));
}

function run(kernels: ReadonlyMap<string, AnyKernel>, job: KernelJob): KernelReport {
  try {
    const kernel = kernels.get(job.kernel);
    if (!kernel) throw new Error(`expected a kernel of the list, got ${job.kernel}`);
    // The edge of a thread: `compute` took kernel and input as one typed pair at the other end.
    return { kind: 'done', output: kernel.run(job.input as never) };
  } catch (error) {
    // Whatever a kernel throws belongs to the node that asked; the thread goes on with the next job.
    return failureOf(error);
  }
}
