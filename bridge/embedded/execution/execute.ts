import type { DynamicPrompt, Kernel, RunContext } from '../../../nodes/kit/graph-node.ts';
import type { Host } from '../../../nodes/kit/host.ts';
import type { Pixels } from '../../../nodes/kit/values.ts';
import type { MemoryWatch } from '../../local/memory-watch.ts';
import type { EventSink } from '../events.ts';
import type { Job, Outcome } from '../job.ts';
import type { NodeTable } from '../nodes/node-table.ts';
import type { ResultCache } from './caches/cache.ts';
import { type CacheChoice, createCache } from './caches/create-cache.ts';
import { createJobRun, type JobRun } from './job-run.ts';
import { createShapes, type NodeShape } from './node-shape.ts';

/** What an executor is made of. */
export type ExecutorOptions = {
  readonly nodes: NodeTable;
  readonly cache: CacheChoice;
  readonly events: EventSink;
  /**
   * The host of one node run; made when the node first asks for it. `signal` aborts on interrupt, and when the job
   * ends without the node. `progress` throws once the job was interrupted.
   */
  makeHost(run: {
    readonly job: Job;
    readonly nodeId: string;
    readonly dynamicPrompt: DynamicPrompt;
    readonly signal: AbortSignal;
    executed(nodeId: string, slot: number): unknown;
    progress(value: number, total: number, preview?: Pixels): void;
  }): Host;
  /** `signal` aborts as that of the host. */
  compute<I, O>(kernel: Kernel<I, O>, input: I, signal: AbortSignal): Promise<O>;
  /** Asked before each call of a node. */
  readonly memory: MemoryWatch;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void;
  /** Milliseconds since the epoch, for the messages' timestamps. */
  readonly now: () => number;
};

/** Runs jobs, one at a time. */
export type Executor = {
  /**
   * Runs one job to its end; never throws for what a node does.
   * @throws Error when another job is running
   */
  execute(job: Job): Promise<Outcome>;
  /** Stops the running job at the next chance, aborting the signals of running nodes; without a job: nothing. */
  interrupt(): void;
  /** Drops every cached result. */
  freeMemory(): void;
};

/** What outlives a job. */
export type ExecutorState = {
  readonly options: ExecutorOptions;
  readonly shapeOf: (classType: string) => NodeShape;
  readonly cache: ResultCache;
  contextOf(host: () => Host, dynamicPrompt: DynamicPrompt, compute: RunContext['compute']): RunContext;
};

/** The semantics are those of ComfyUI 618b803d execution.py and comfy_execution/, but for what the files here say. */
export function createExecutor(options: ExecutorOptions): Executor {
  const state: ExecutorState = {
    options,
    shapeOf: createShapes(options.nodes),
    cache: createCache(options.cache),
    contextOf: (host, dynamicPrompt, compute) => new LazyContext(host, dynamicPrompt, compute),
  };
  let current: JobRun | undefined;
  return {
    async execute(job) {
      if (current) throw new Error('expected one job at a time, got a second');
      current = createJobRun(state, job);
      try {
        return await current.execute();
      } finally {
        current = undefined;
      }
    },
    interrupt: () => current?.interrupt(),
    freeMemory: () => state.cache.clear(),
  };
}

/** Most nodes of a graph that steers itself never ask for their host, and cost microseconds then. */
class LazyContext implements RunContext {
  readonly dynamicPrompt: DynamicPrompt;
  /** A property, not a method: nodes take it out of the context. */
  readonly compute: RunContext['compute'];
  readonly #make: () => Host;
  #host: Host | undefined;

  constructor(make: () => Host, dynamicPrompt: DynamicPrompt, compute: RunContext['compute']) {
    this.dynamicPrompt = dynamicPrompt;
    this.#make = make;
    this.compute = compute;
  }

  get host(): Host {
    this.#host ??= this.#make();
    return this.#host;
  }
}
