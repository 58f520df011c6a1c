import { isApiLink } from '../../../nodes/kit/api-prompt.ts';
import { ExecutionBlocker, type GraphResult, type RunContext } from '../../../nodes/kit/graph-node.ts';
import type { MemoryWatch } from '../../local/memory-watch.ts';
import type { Job } from '../job.ts';
import type { CacheEntry, ResultCache } from './caches/cache.ts';
import { allValues, type Calls, callForEach, isPending, PendingCall, valueOfCall } from './call-node.ts';
import type { RunningPrompt } from './dynamic-prompt.ts';
import { readExpansion } from './expand.ts';
import { fillHidden } from './fill-hidden.ts';
import { type GatheredInputs, gatherInputs } from './gather-inputs.ts';
import { throwIfInterrupted, unlessInterrupted } from './interrupt.ts';
import { checkResult, mergeOutputs, mergeUi, type ReturnedOutputs } from './merge-returns.ts';
import type { Messages } from './messages.ts';
import { NodeInputError, NodeNotFoundError, requireNode } from './node-error.ts';
import type { NodeShape } from './node-shape.ts';
import type { Progress } from './progress.ts';
import type { ScalarResults } from './scalar-results.ts';
import type { Schedule } from './schedule.ts';
import type { Wires } from './wires.ts';

/** What nodes of one job work with. */
export type NodeRun = {
  readonly job: Job;
  readonly prompt: RunningPrompt;
  readonly shapeOf: (classType: string) => NodeShape;
  readonly schedule: Schedule;
  readonly wires: Wires;
  readonly scalars: ScalarResults;
  readonly cache: ResultCache;
  readonly progress: Progress;
  readonly messages: Messages;
  readonly signal: AbortSignal;
  readonly memory: MemoryWatch;
  /** Nodes that ran to their end in this job, in that order. */
  readonly executed: Set<string>;
  /** `ui` messages of this job. */
  readonly ui: Map<string, NonNullable<CacheEntry['ui']>>;
  /** Calls that go on beside other nodes. */
  readonly running: Map<string, Calls<GraphResult>>;
  contextOf(id: string): RunContext;
  /** Announces nodes that an expansion added, so that the cache has places for them. */
  announceExpansion(parent: string, ids: readonly string[]): Promise<void>;
  /** A node that had been left running can go on. */
  wake(): void;
};

/** What became of a node that was picked; `waiting`: it comes up again when what it waits for is there. */
export type Step = 'done' | 'waiting' | NodeFailure;

/** It threw. */
export type NodeFailure = { readonly id: string; readonly error: unknown; readonly inputs?: GatheredInputs };

/**
 * Brings one node forward, as far as it goes without waiting for others: the way is
 * cached, or gathered -> asked what lazy inputs it needs -> called (perhaps left running) -> perhaps expanded -> merged.
 * A node that is not async takes no turn of the event loop. Never throws.
 */
export function createNodeRunner(run: NodeRun): (id: string) => Step | Promise<Step> {
  const { job, prompt, schedule, wires, cache, progress, messages, signal } = run;
  /** What nodes that expanded give, once their expansions are there. */
  const expanded = new Map<string, readonly ReturnedOutputs[]>();
  /** Lazy inputs that were asked for. */
  const demanded = new Map<string, Set<string>>();
  /** Inputs of the nodes that were left running: an error shows them. */
  const startedWith = new Map<string, GatheredInputs>();

  function advance(id: string, keep: (inputs: GatheredInputs) => void): Step | Promise<Step> {
    const cached = cache.find(id) ?? wires.read(id, id);
    if (cached) return takeCached(id, cached);
    const calls = run.running.get(id);
    if (calls) {
      run.running.delete(id);
      const started = startedWith.get(id);
      startedWith.delete(id);
      if (started) keep(started);
      return settle(id, calls.map(valueOfCall));
    }
    const returns = expanded.get(id);
    if (returns) {
      expanded.delete(id);
      return complete(id, returns);
    }
    progress.start(id);
    const node = requireNode(prompt.node(id), id);
    const shape = run.shapeOf(node.class_type);
    const inputs = gatherInputs(
      node,
      shape,
      (from, slot) => readWire(from, id)?.outputs[slot],
      (filling) => fillHidden(filling, id, job, prompt),
    );
    keep(inputs);
    messages.tell('executing', { node: id, display_node: prompt.displayId(id), prompt_id: job.promptId });
    const context = run.contextOf(id);
    if (!shape.node.checkLazy) return start(id, shape, inputs, context);
    const wanted = askLazy(shape, inputs, context);
    if (!(wanted instanceof Promise)) {
      return demand(id, wanted, inputs) ? 'waiting' : start(id, shape, inputs, context);
    }
    return unlessInterrupted(wanted, signal).then((names) =>
      demand(id, names, inputs) ? 'waiting' : start(id, shape, inputs, context),
    );
  }

  /** Counts as use of the source's result; one that was dropped under pressure meanwhile is worth keeping again. */
  function readWire(from: string, id: string): CacheEntry | undefined {
    const entry = wires.read(from, id);
    if (entry && !cache.find(from)) cache.store(from, entry);
    return entry;
  }

  function takeCached(id: string, entry: CacheEntry): Step {
    // Its twin came first while this one was under way.
    run.running.delete(id);
    expanded.delete(id);
    demanded.delete(id);
    tellExecuted(id, entry.ui ?? null);
    if (entry.ui) run.ui.set(id, entry.ui);
    wires.publish(id, entry);
    progress.finish(id);
    return 'done';
  }

  function askLazy(
    shape: NodeShape,
    inputs: GatheredInputs,
    context: RunContext,
  ): readonly (readonly string[])[] | Promise<readonly (readonly string[])[]> {
    const calls = callForEach<readonly string[]>(inputs, {
      takesLists: shape.node.inputIsList === true,
      before: () => throwIfInterrupted(signal),
      blocked: () => [],
      call: (ofCall) => shape.node.checkLazy?.(ofCall, context) ?? [],
    });
    return calls instanceof Promise ? calls.then(allValues) : calls.map(valueOfCall);
  }

  /**
   * Makes the inputs that a node asks for strong links, and says whether there were new ones. One that was asked for
   * before and still is not there will never be.
   * @throws NodeInputError for an input that is no link
   */
  function demand(id: string, wanted: readonly (readonly string[])[], inputs: GatheredInputs): boolean {
    const node = requireNode(prompt.node(id), id);
    const asked = demanded.get(id) ?? new Set<string>();
    let isNew = false;
    for (const name of new Set(wanted.flat())) {
      if (asked.has(name) || (inputs.lists.has(name) && !inputs.missing.has(name))) continue;
      if (!Object.hasOwn(node.inputs, name)) {
        throw new NodeInputError(
          `Node ${id} says it needs input ${name}, but there is no input to that node at all`,
        );
      }
      const value = node.inputs[name];
      if (!isApiLink(value)) {
        throw new NodeInputError(`Node ${id} says it needs input ${name}, but that value is a constant`);
      }
      schedule.link(value[0], id);
      asked.add(name);
      isNew = true;
    }
    demanded.set(id, asked);
    return isNew;
  }

  function start(
    id: string,
    shape: NodeShape,
    inputs: GatheredInputs,
    context: RunContext,
  ): Step | Promise<Step> {
    // What runs for its effect has it in order: the pictures of a list are numbered as they stand in it.
    let last: Promise<GraphResult> | undefined;
    const calls = callForEach<GraphResult>(inputs, {
      takesLists: shape.node.inputIsList === true,
      before() {
        throwIfInterrupted(signal);
        run.memory.check();
      },
      blocked: (blocker) => {
        const silent = silence(id, shape, blocker);
        return { outputs: shape.node.outputs.map(() => silent) };
      },
      call(ofCall) {
        const result = last
          ? last.then(() => {
              throwIfInterrupted(signal);
              return shape.node.run(ofCall, context);
            })
          : shape.node.run(ofCall, context);
        if (shape.node.terminal && result instanceof Promise) last = result;
        return result;
      },
    });
    return calls instanceof Promise
      ? calls.then((all) => leaveOrSettle(id, all, inputs))
      : leaveOrSettle(id, calls, inputs);
  }

  /**
   * A blocker that says why is heard here, and goes on in silence. The job does not fail by it, and history does not
   * hold it.
   */
  function silence(id: string, shape: NodeShape, blocker: ExecutionBlocker): ExecutionBlocker {
    if (blocker.message === undefined) return blocker;
    messages.broadcast('execution_error', {
      prompt_id: job.promptId,
      node_id: id,
      node_type: shape.node.id,
      executed: [...run.executed],
      exception_message: `Execution Blocked: ${blocker.message}`,
      exception_type: 'ExecutionBlocked',
      traceback: [],
      current_inputs: [],
      current_outputs: [],
    });
    return new ExecutionBlocker();
  }

  function leaveOrSettle(
    id: string,
    calls: Calls<GraphResult>,
    inputs: GatheredInputs,
  ): Step | Promise<Step> {
    if (!calls.some(isPending)) return settle(id, calls.map(valueOfCall));
    run.running.set(id, calls);
    startedWith.set(id, inputs);
    const release = schedule.hold(id);
    const ends = calls.flatMap((call) => (call instanceof PendingCall ? [call.ended] : []));
    Promise.all(ends).then(() => {
      release();
      run.wake();
    });
    return 'waiting';
  }

  function settle(id: string, results: readonly GraphResult[]): Step | Promise<Step> {
    for (const result of results) checkResult(result);
    const ui = mergeUi(results);
    if (ui) {
      run.ui.set(id, ui);
      tellExecuted(id, ui);
    }
    if (results.some((result) => result.expand)) return expand(id, results);
    return complete(
      id,
      results.flatMap(({ outputs }) => (outputs ? [{ outputs, expanded: false }] : [])),
    );
  }

  function tellExecuted(id: string, output: unknown): void {
    // History must be able to hold it, also where nobody listens. @throws TypeError for what JSON cannot say
    if (job.clientId === undefined) JSON.stringify(output);
    messages.tell('executed', {
      node: id,
      display_node: prompt.displayId(id),
      output,
      prompt_id: job.promptId,
    });
  }

  async function expand(id: string, results: readonly GraphResult[]): Promise<Step> {
    const { nodes, returns } = readExpansion(id, results);
    for (const [childId, node] of nodes) {
      run.shapeOf(node.class_type);
      prompt.add(childId, node, id);
    }
    await run.announceExpansion(id, [...nodes.keys()]);
    for (const [childId, node] of nodes) {
      if (run.shapeOf(node.class_type).node.terminal) schedule.add(childId);
    }
    for (const { outputs, expanded: leadsInside } of returns) {
      if (!leadsInside) continue;
      for (const value of outputs) if (isApiLink(value)) schedule.link(value[0], id);
    }
    expanded.set(id, returns);
    return 'waiting';
  }

  function complete(id: string, returns: readonly ReturnedOutputs[]): Step {
    const { outputs: declared } = run.shapeOf(requireNode(prompt.node(id), id).class_type).node;
    const outputs = mergeOutputs(returns, declared, ([from, slot]) => {
      const elements = readWire(from, id)?.outputs[slot];
      if (!elements) throw new NodeNotFoundError(`Node ${from} gave no output ${slot}`);
      return elements;
    });
    const ui = run.ui.get(id);
    const entry = ui ? { outputs, ui } : { outputs };
    wires.publish(id, entry);
    cache.store(id, entry);
    if (!cache.find(id)) run.scalars.keep(id, outputs);
    progress.finish(id);
    demanded.delete(id);
    run.executed.add(id);
    return 'done';
  }

  return (id) => {
    let inputs: GatheredInputs | undefined;
    const fail = (error: unknown): NodeFailure => ({ id, error, ...(inputs && { inputs }) });
    try {
      const step = advance(id, (gathered) => {
        inputs = gathered;
      });
      return step instanceof Promise ? step.catch(fail) : step;
    } catch (error) {
      return fail(error);
    }
  };
}
