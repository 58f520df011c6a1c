import { setTimeout as delay } from 'node:timers/promises';
import { isRecord } from '../../../nodes/kit/is-record.ts';
import { reasonOf } from '../../local/system-error.ts';
import type { EventSink } from '../events.ts';
import { createBell, nextTurn } from '../execution/event-loop.ts';
import type { Job, Outcome } from '../job.ts';
import type { ServerLog } from '../server-log.ts';
import type { PromptQueue, QueuedJob } from './prompt-queue.ts';
import { readStoredJob } from './read-stored-job.ts';
import type { RunHistory } from './run-history.ts';
import { isStoreFailing } from './store.ts';

/** What runs one job; the executor has no other face here. */
type JobRunner = {
  execute(job: Job): Promise<Outcome>;
  interrupt(): void;
  freeMemory(): void;
};

/** The one worker of the queue. */
export type RunQueue = {
  /** Begins with what an earlier process left. */
  start(): void;
  /** There may be something to do. */
  wake(): void;
  /**
   * Stops the job that runs, where it is this one; between jobs there is nothing to stop.
   * @returns whether something was stopped
   */
  interrupt(promptId?: string): boolean;
  /** Drops the cached results after the job that runs, or at once where none does. */
  freeMemory(): void;
  /** Something was thrown that nobody caught: the job that runs fails by it. @returns whether one ran */
  crash(error: unknown): boolean;
  /** Stops the job that runs and takes no further one; what waits stays in the queue. */
  close(): Promise<void>;
};

type RunQueueOptions = {
  readonly queue: PromptQueue;
  readonly history: RunHistory;
  readonly hub: EventSink & { status(): void; settlePreviews(): Promise<void> };
  /**
   * Called at the start, and after a crash: what a crashed run left in its runner is not trusted.
   */
  readonly createRunner: (events: EventSink) => JobRunner;
  readonly log: ServerLog['log'];
  /** Milliseconds since 1970. */
  readonly now: () => number;
};

/** The job that runs. */
type Current = {
  readonly job: Job;
  readonly crashed: PromiseWithResolvers<Outcome>;
  /** `execution_*` messages so far. */
  readonly messages: (readonly [string, Readonly<Record<string, unknown>>])[];
  /** Of the last `progress_state`. */
  nodes: unknown;
};

/** How long a run that is stopped at the end of the server may take to notice. */
const CLOSE_GRACE_MS = 3_000;
/** After the store failed (a full disk), the queue is tried again this much later. */
const RETRY_MS = 1_000;

/** Runs one job after another, and moves each into the history before its client is told that it is over. */
export function createRunQueue(options: RunQueueOptions): RunQueue {
  const { queue, history, hub, log, now } = options;
  const bell = createBell();
  let current: Current | undefined;
  let [closing, freeing] = [false, false];
  let work: Promise<void> | undefined;
  let runner = newRunner();

  /** Whatever a runner says after it was given up is not passed on. */
  function newRunner(): JobRunner & { silence(): void } {
    let silent = false;
    const events: EventSink = {
      send(event, data, clientId) {
        if (silent) return;
        if (event.startsWith('execution_')) current?.messages.push([event, data]);
        if (event === 'progress_state' && current) current.nodes = data['nodes'];
        hub.send(event, data, clientId);
      },
      preview: (...args) => silent || hub.preview(...args),
      text: (...args) => silent || hub.text(...args),
    };
    const made = options.createRunner(events);
    return {
      ...made,
      silence() {
        silent = true;
      },
    };
  }

  function giveUpRunner(): void {
    const given = runner;
    runner = newRunner();
    given.silence();
    given.interrupt();
  }

  async function run(queued: QueuedJob): Promise<void> {
    const began = performance.now();
    const outcome = await outcomeOf(queued);
    const ended = current;
    // From here on there is nothing left to interrupt or to fail.
    current = undefined;
    await hub.settlePreviews();
    await keep(queued, outcome, ended);
    hub.status();
    const clientId = ended?.job.clientId;
    if (clientId !== undefined) {
      hub.send('executing', { node: null, prompt_id: queued.promptId }, clientId);
    }
    log('info', `Prompt executed in ${((performance.now() - began) / 1000).toFixed(2)} seconds`);
  }

  async function outcomeOf(queued: QueuedJob): Promise<Outcome> {
    const crashed = Promise.withResolvers<Outcome>();
    let job: Job;
    try {
      job = readStoredJob(queued);
    } catch (error) {
      return failure(queued.promptId, undefined, error, now());
    }
    current = { job, crashed, messages: [], nodes: undefined };
    try {
      return await Promise.race([runner.execute(job), crashed.promise]);
    } catch (error) {
      log('error', `a bug of ours ended prompt ${queued.promptId}: ${traceOf(error).join('')}`);
      giveUpRunner();
      return tellFailure(current, error);
    }
  }

  function tellFailure(of: Current, error: unknown): Outcome {
    const outcome = failure(of.job.promptId, of, error, now());
    const last = outcome.messages.at(-1);
    if (last && of.job.clientId !== undefined) hub.send(...last, of.job.clientId);
    return outcome;
  }

  /**
   * An outcome that the history cannot hold (a node's `ui` that contains itself, or is longer than any text) is kept as
   * the error that it is. While the store itself fails (a full disk), the outcome waits here.
   */
  async function keep(queued: QueuedJob, outcome: Outcome, ended: Current | undefined): Promise<void> {
    let kept = outcome;
    for (;;) {
      try {
        return history.record(queued, kept);
      } catch (error) {
        if (isStoreFailing(error)) {
          log('error', `the end of prompt ${queued.promptId} could not be stored: ${reasonOf(error)}`);
          if (closing) return;
          await delay(RETRY_MS, undefined, { ref: false });
        } else if (kept === outcome) {
          log('error', `the history cannot hold what prompt ${queued.promptId} put out: ${reasonOf(error)}`);
          const bare = ended && { ...ended, messages: [] };
          kept = failure(queued.promptId, bare, error, now());
        } else throw error;
      }
    }
  }

  async function loop(): Promise<void> {
    while (!closing) {
      try {
        if (freeing) {
          freeing = false;
          runner.freeMemory();
        }
        const queued = queue.take();
        if (queued) {
          hub.status();
          await run(queued);
          await nextTurn();
        } else {
          await bell.wait();
        }
      } catch (error) {
        log('error', `the queue failed and is tried again: ${traceOf(error).join('')}`);
        current = undefined;
        await delay(RETRY_MS, undefined, { ref: false });
      }
    }
  }

  return {
    start() {
      for (const left of queue.running()) {
        log('warn', `prompt ${left.promptId} ran when the server ended; it counts as failed`);
        history.record(left, failure(left.promptId, undefined, new Restarted(), now()));
      }
      work ??= loop();
    },
    wake: () => bell.ring(),
    interrupt(promptId) {
      if (!current || (promptId !== undefined && current.job.promptId !== promptId)) return false;
      runner.interrupt();
      return true;
    },
    freeMemory() {
      freeing = true;
      bell.ring();
    },
    crash(error) {
      if (!current) return false;
      const of = current;
      giveUpRunner();
      of.crashed.resolve(tellFailure(of, error));
      return true;
    },
    async close() {
      closing = true;
      bell.ring();
      if (current) runner.interrupt();
      const patience = new AbortController();
      await Promise.race([
        work,
        delay(CLOSE_GRACE_MS, undefined, { signal: patience.signal }).catch(() => undefined),
      ]);
      patience.abort();
    },
  };
}

/** The process ended while a job ran. */
class Restarted extends Error {
  override readonly name = 'InterruptedByRestart';

  constructor() {
    super('interrupted by restart: the server ended while this prompt ran; queue it again');
  }
}

/** The outcome of a job whose runner did not give one, with the message that ComfyUI's clients show. */
function failure(promptId: string, of: Current | undefined, error: unknown, timestamp: number): Outcome {
  const nodeId = runningNode(of?.nodes);
  const node = of && Object.hasOwn(of.job.prompt, nodeId) ? of.job.prompt[nodeId] : undefined;
  const started: Outcome['messages'] = [['execution_start', { prompt_id: promptId, timestamp }]];
  const data = {
    prompt_id: promptId,
    node_id: nodeId,
    node_type: node?.class_type ?? '',
    executed: [],
    exception_message: `${reasonOf(error)}\n`,
    exception_type: error instanceof Error ? error.name : 'Error',
    traceback: traceOf(error),
    current_inputs: {},
    current_outputs: [],
    timestamp,
  };
  const before = of && of.messages.length > 0 ? of.messages : started;
  return { status: 'error', outputs: {}, meta: {}, messages: [...before, ['execution_error', data]] };
}

/** The node that began last: where several run side by side, nobody knows whose error it was. */
function runningNode(nodes: unknown): string {
  const running = Object.entries(isRecord(nodes) ? nodes : {}).filter(
    ([, node]) => isRecord(node) && node['state'] === 'running',
  );
  return running.at(-1)?.[0] ?? '';
}

function traceOf(error: unknown): string[] {
  return error instanceof Error && error.stack !== undefined
    ? error.stack.split(/(?<=\n)/)
    : [reasonOf(error)];
}
