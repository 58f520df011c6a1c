import { textOf, toggleOf } from '../../../nodes/builtin/read-inputs.ts';
import { isApiLink } from '../../../nodes/kit/api-prompt.ts';
import { LineageError } from '../../../nodes/kit/errors.ts';
import { type DynamicPrompt, ExecutionBlocker, type RunInputs } from '../../../nodes/kit/graph-node.ts';
import { input, numbered, output, testNode } from './_declare.ts';
import { type BuiltNode, buildGraph } from './_graph-builder.ts';

/** Loops: the closing node copies what stands between it and the opening one until its condition is false. */

const SOCKETS = 5;
const ANY = input('*');
const RAW = { rawLink: true };
const CARRIED = Array.from({ length: SOCKETS }, (_, i) => `initial_value${i}`);

function valueOutputs(from: number) {
  return Array.from({ length: SOCKETS - from }, (_, i) => output('*', `value${from + i}`));
}

/** Python's None: null, so that it is a value and not a missing one. */
function carried(inputs: RunInputs, from = 0): readonly unknown[] {
  return CARRIED.slice(from).map((name) => inputs[name] ?? null);
}

function linkOf(inputs: RunInputs, name: string) {
  const link = inputs[name];
  if (isApiLink(link)) return link;
  throw new LineageError('builtin/input', 'expected a link', { input: name });
}

const whileOpen = testNode({
  id: 'TestWhileLoopOpen',
  required: { condition: input('BOOLEAN', { default: true }) },
  optional: numbered('initial_value', 0, SOCKETS, ANY),
  outputs: [output('FLOW_CONTROL'), ...valueOutputs(0)],
  run: (inputs) => ({ outputs: ['stub', ...carried(inputs)] }),
});

/** Which nodes feed on which, among all that lies above a node. */
function findConsumers(from: string, prompt: DynamicPrompt): ReadonlyMap<string, readonly string[]> {
  const consumers = new Map<string, string[]>();
  const waiting = [from];
  for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
    for (const value of Object.values(prompt.node(id)?.inputs ?? {})) {
      if (!isApiLink(value)) continue;
      const [parent] = value;
      const known = consumers.get(parent);
      if (known) known.push(id);
      else {
        consumers.set(parent, [id]);
        waiting.push(parent);
      }
    }
  }
  return consumers;
}

/** The nodes of a loop: what lies below its opening node and above its closing one, both included. */
function findBody(open: string, close: string, prompt: DynamicPrompt): ReadonlySet<string> {
  const consumers = findConsumers(close, prompt);
  const body = new Set([open]);
  // A set grows while it is walked.
  for (const id of body) for (const consumer of consumers.get(id) ?? []) body.add(consumer);
  return body.add(close);
}

const whileClose = testNode({
  id: 'TestWhileLoopClose',
  required: {
    flow_control: input('FLOW_CONTROL', RAW),
    condition: input('BOOLEAN', { forceInput: true }),
  },
  optional: numbered('initial_value', 0, SOCKETS, ANY),
  hidden: { dynprompt: 'DYNPROMPT', unique_id: 'UNIQUE_ID' },
  outputs: valueOutputs(0),
  run(inputs, context) {
    if (!toggleOf(inputs, 'condition')) return { outputs: carried(inputs) };
    const { dynamicPrompt } = context;
    const self = textOf(inputs, 'unique_id');
    const [open] = linkOf(inputs, 'flow_control');
    const body = findBody(open, self, dynamicPrompt);
    const graph = buildGraph(context);
    // A short name for the copy of this node, or its id would grow with each round.
    const nameOf = (id: string) => (id === self ? 'Recurse' : id);
    const copies = new Map<string, BuiltNode>();
    for (const id of body) {
      copies.set(id, graph.add(dynamicPrompt.node(id)?.class_type ?? '', {}, nameOf(id), id));
    }
    for (const [id, copy] of copies) {
      for (const [name, value] of Object.entries(dynamicPrompt.node(id)?.inputs ?? {})) {
        const source = isApiLink(value) ? copies.get(value[0])?.out(value[1]) : undefined;
        copy.set(name, source ?? value);
      }
    }
    for (const name of CARRIED) copies.get(open)?.set(name, inputs[name]);
    const recurse = copies.get(self);
    return { outputs: CARRIED.map((_, slot) => recurse?.out(slot)), expand: graph.finish() };
  },
});

const forOpen = testNode({
  id: 'TestForLoopOpen',
  required: { remaining: input('INT', { default: 1, min: 0, max: 100000, step: 1 }) },
  optional: numbered('initial_value', 1, SOCKETS, ANY),
  // The count of a later round; a client has no widget for it.
  hidden: { initial_value0: '*' },
  outputs: [output('FLOW_CONTROL', 'flow_control'), output('INT', 'remaining'), ...valueOutputs(1)],
  run(inputs, context) {
    const remaining = inputs['initial_value0'] ?? inputs['remaining'];
    const graph = buildGraph(context);
    const values = Object.fromEntries(CARRIED.slice(1).map((name) => [name, inputs[name]]));
    graph.add('TestWhileLoopOpen', { condition: remaining, initial_value0: remaining, ...values });
    return { outputs: ['stub', remaining, ...carried(inputs, 1)], expand: graph.finish() };
  },
});

const forClose = testNode({
  id: 'TestForLoopClose',
  required: { flow_control: input('FLOW_CONTROL', RAW) },
  optional: numbered('initial_value', 1, SOCKETS, input('*', RAW)),
  outputs: valueOutputs(1),
  run(inputs, context) {
    const graph = buildGraph(context);
    const flow = linkOf(inputs, 'flow_control');
    const left = graph.add('TestIntMathOperation', { operation: 'subtract', a: [flow[0], 1], b: 1 });
    const goesOn = graph.add('TestToBoolNode', { value: left.out(0) });
    const close = graph.add('TestWhileLoopClose', {
      flow_control: flow,
      condition: goesOn.out(0),
      initial_value0: left.out(0),
      ...Object.fromEntries(CARRIED.slice(1).map((name) => [name, inputs[name]])),
    });
    return { outputs: CARRIED.slice(1).map((_, i) => close.out(i + 1)), expand: graph.finish() };
  },
});

const executionBlocker = testNode({
  id: 'TestExecutionBlocker',
  required: { input: ANY, block: input('BOOLEAN'), verbose: input('BOOLEAN', { default: false }) },
  outputs: [output('*', 'output')],
  run(inputs) {
    if (!toggleOf(inputs, 'block')) return { outputs: [inputs['input']] };
    return { outputs: [new ExecutionBlocker(toggleOf(inputs, 'verbose') ? 'Blocked Execution' : undefined)] };
  },
});

/** Nodes of this file. */
export default [whileOpen, whileClose, forOpen, forClose, executionBlocker];
