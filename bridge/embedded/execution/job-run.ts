import { isApiLink } from '../../../nodes/kit/api-prompt.ts';
import type { GraphResult, RunContext } from '../../../nodes/kit/graph-node.ts';
import type { Job, NodeMeta, Outcome } from '../job.ts';
import type { KeyedNode, ResultCache } from './caches/cache.ts';
import { type Calls, PendingCall } from './call-node.ts';
import { type DescribedError, describeError, describeInputs } from './describe-error.ts';
import { createRunningPrompt, type RunningPrompt } from './dynamic-prompt.ts';
import { createBell, createSlices } from './event-loop.ts';
import type { ExecutorState } from './execute.ts';
import { createFingerprints } from './fingerprint.ts';
import type { GatheredInputs } from './gather-inputs.ts';
import { Interrupted, throwIfInterrupted } from './interrupt.ts';
import { createMessages } from './messages.ts';
import { requireNode } from './node-error.ts';
import type { NodeShape } from './node-shape.ts';
import { createProgress } from './progress.ts';
import { createNodeRunner, type NodeFailure } from './run-node.ts';
import { createScalarResults } from './scalar-results.ts';
import { createSchedule, type GraphView } from './schedule.ts';
import { createSignatures } from './signature.ts';
import { createWires, type Wires } from './wires.ts';

/** One job under way. */
export type JobRun = {
  /** Never throws. */
  execute(): Promise<Outcome>;
  interrupt(): void;
};

/** Nodes that are left behind get so long to notice, so that they do not run into the next job. */
const GRACE_MS = 200;

/** The `exception_type` that ComfyUI gives for a cycle that an expansion made. */
const CYCLE: DescribedError = {
  exception_message: 'Dependency cycle detected',
  exception_type: 'graph.DependencyCycleError',
  traceback: [],
};

/** What ended a job early. */
type End = Pick<NodeFailure, 'id' | 'inputs'> & { readonly reason: Interrupted | DescribedError };

/** Sets a job up; what it says and leaves behind goes where the executor's options lead. */
export function createJobRun({ options, shapeOf, cache, contextOf }: ExecutorState, job: Job): JobRun {
  const { events } = options;
  const prompt = createRunningPrompt(job.prompt);
  const messages = createMessages(job, events, options.now);
  const progress = createProgress(job, prompt, events, messages);
  const controller = new AbortController();
  const { signal } = controller;
  const compute: RunContext['compute'] = (kernel, input) => options.compute(kernel, input, signal);
  const wires = createWires();
  const scalars = createScalarResults();
  const schedule = createSchedule(viewOf(prompt, shapeOf, cache, wires));
  const bell = createBell();
  const slices = createSlices();
  const running = new Map<string, Calls<GraphResult>>();
  const executed = new Set<string>();
  const ui = new Map<string, Readonly<Record<string, readonly unknown[]>>>();
  const fingerprints = createFingerprints({
    prompt,
    shapeOf,
    signal,
    contextOf: nodeContext,
    log: options.log,
  });
  const signatures = createSignatures(prompt, shapeOf, fingerprints.of);
  /** Nodes whose results an error names as there: ComfyUI takes all that its cache knows of when the job starts. */
  let known: readonly string[] = [];

  const step = createNodeRunner({
    job,
    prompt,
    shapeOf,
    schedule,
    wires,
    scalars,
    cache,
    progress,
    messages,
    signal,
    memory: options.memory,
    executed,
    ui,
    running,
    contextOf: nodeContext,
    async announceExpansion(parent, ids) {
      signatures.forget(ids);
      await fingerprints.ask(ids);
      cache.openExpansion(parent, ids.map(keyed));
    },
    wake: bell.ring,
  });

  function nodeContext(nodeId: string): RunContext {
    const host = () =>
      options.makeHost({
        job,
        nodeId,
        dynamicPrompt: prompt,
        signal,
        executed: (id, slot) => {
          const elements = cache.find(id)?.outputs[slot] ?? wires.read(id, nodeId)?.outputs[slot];
          return elements?.length === 1 ? elements[0] : scalars.get(id, slot);
        },
        progress: (value, total, preview) => {
          throwIfInterrupted(signal);
          progress.update(nodeId, value, total, preview);
        },
      });
    return contextOf(host, prompt, compute);
  }

  function keyed(id: string): KeyedNode {
    const { class_type: classType } = requireNode(prompt.node(id), id);
    return { id, classType, key: signatures.keyOf(id) };
  }

  async function openCache(): Promise<void> {
    const ids = Object.keys(job.prompt);
    await fingerprints.ask(ids);
    const nodes: KeyedNode[] = [];
    for (const id of ids) {
      nodes.push(keyed(id));
      if (slices.isOver()) await slices.next();
    }
    cache.openJob(nodes);
    if (slices.isOver()) await slices.next();
    known = cache.nodeIds();
    messages.record('execution_cached', {
      nodes: ids.filter((id) => cache.find(id)),
      prompt_id: job.promptId,
    });
  }

  /** Runs nodes until none is left; gives what ended it before that. */
  async function runNodes(): Promise<End | undefined> {
    while (!schedule.isEmpty()) {
      const id = schedule.pick();
      if (id === undefined) {
        const [waiting] = running.keys();
        if (waiting === undefined) return { id: blameForCycle(), reason: CYCLE };
        await bell.wait();
        if (signal.aborted) return { id: waiting, reason: new Interrupted() };
        continue;
      }
      const begun = step(id);
      const result = begun instanceof Promise ? await begun : begun;
      if (result === 'done') {
        schedule.complete(id);
        wires.disconnect(id);
      } else if (result === 'waiting') schedule.putBack(id);
      else return endOf(result);
      cache.relieve();
      if (slices.isOver()) await slices.next();
    }
    return undefined;
  }

  function endOf({ id, error, inputs }: NodeFailure): End {
    // A node that was told to stop may end with an error of its own.
    if (error instanceof Interrupted || signal.aborted) return { id, reason: new Interrupted() };
    const reason = describeError(error);
    const lines = [reason.exception_message, ...reason.traceback].join('');
    options.log('error', `node ${id} (${prompt.node(id)?.class_type ?? 'unknown'}) failed: ${lines}`);
    return { id, reason, ...(inputs && { inputs }) };
  }

  /** Cycles of the posted prompt were refused, so the first node on it that an expansion made names the culprit. */
  function blameForCycle(): string {
    const stuck = schedule.stuck();
    const grown = stuck.find((id) => prompt.displayId(id) !== id);
    const blamed = grown === undefined ? stuck[0] : prompt.displayId(grown);
    return blamed ?? job.outputs[0] ?? '';
  }

  function tellEnd({ id, reason, inputs }: End): Outcome['status'] {
    const node = prompt.realId(id);
    const where = {
      prompt_id: job.promptId,
      node_id: node,
      node_type: prompt.node(node)?.class_type ?? null,
      executed: [...executed],
    };
    if (reason instanceof Interrupted) {
      messages.announce('execution_interrupted', where);
      return 'interrupted';
    }
    const { exception_message, exception_type, traceback } = reason;
    messages.record('execution_error', {
      ...where,
      exception_message,
      exception_type,
      traceback,
      current_inputs: inputs ? describeAll(inputs) : reason === CYCLE ? [] : {},
      current_outputs: known,
    });
    return 'error';
  }

  async function leaveBehind(): Promise<void> {
    controller.abort();
    const ends = [...running.values()]
      .flat()
      .flatMap((call) => (call instanceof PendingCall ? [call.ended] : []));
    if (ends.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, GRACE_MS);
    });
    await Promise.race([Promise.all(ends), grace]);
    clearTimeout(timer);
  }

  async function runToEnd(): Promise<End | undefined> {
    let at = job.outputs[0] ?? '';
    try {
      await openCache();
      for (const id of job.outputs) {
        at = id;
        schedule.add(id);
        if (slices.isOver()) await slices.next();
      }
      return await runNodes();
    } catch (error) {
      return endOf({ id: at, error });
    }
  }

  return {
    async execute() {
      messages.record('execution_start', { prompt_id: job.promptId });
      const end = await runToEnd();
      progress.end();
      let status: Outcome['status'] = 'success';
      if (end) {
        status = tellEnd(end);
        await leaveBehind();
      } else messages.record('execution_success', { prompt_id: job.promptId });
      cache.closeJob();
      return { status, ...leftovers(ui, prompt), messages: messages.recorded };
    },
    interrupt() {
      controller.abort();
      bell.ring();
    },
  };
}

/** How the schedule sees the graph: links count unless their input is lazy, and cached results need no run. */
function viewOf(
  prompt: RunningPrompt,
  shapeOf: (classType: string) => NodeShape,
  cache: ResultCache,
  wires: Wires,
): GraphView {
  const shape = (id: string): NodeShape => shapeOf(requireNode(prompt.node(id), id).class_type);
  return {
    needs(id) {
      const node = requireNode(prompt.node(id), id);
      const { inputs } = shapeOf(node.class_type);
      const sources: string[] = [];
      for (const name of Object.keys(node.inputs)) {
        const value = node.inputs[name];
        if (isApiLink(value) && !inputs.get(name)?.lazy) sources.push(value[0]);
      }
      return sources;
    },
    isOutput: (id) => shape(id).node.terminal === true,
    isAsync: (id) => shape(id).node.isAsync === true,
    isCached: (id) => cache.find(id) !== undefined,
    keep: (id) => wires.connect(id, id, cache.find(id)),
    onLink: (from, to) => wires.connect(from, to, cache.find(from)),
  };
}

function describeAll({ lists }: GatheredInputs): Record<string, readonly unknown[]> {
  const described: Record<string, readonly unknown[]> = Object.create(null);
  for (const [name, list] of lists) described[name] = describeInputs(list);
  return described;
}

/** `ui` messages, with whom they belong to. Node ids are a client's text. */
function leftovers(
  ui: ReadonlyMap<string, unknown>,
  prompt: RunningPrompt,
): Pick<Outcome, 'outputs' | 'meta'> {
  const outputs: Record<string, unknown> = Object.create(null);
  const meta: Record<string, NodeMeta> = Object.create(null);
  for (const [id, message] of ui) {
    outputs[id] = message;
    meta[id] = prompt.meta(id);
  }
  return { outputs, meta };
}
