import type { CacheChoice } from '../../../../bridge/embedded/execution/caches/create-cache.ts';
import { createExecutor, type Executor } from '../../../../bridge/embedded/execution/execute.ts';
import type { Job, Outcome } from '../../../../bridge/embedded/job.ts';
import { createMemoryWatch } from '../../../../bridge/local/memory-watch.ts';
import type { ApiPrompt } from '../../../../nodes/kit/api-prompt.ts';
import { LineageError } from '../../../../nodes/kit/errors.ts';
import { defineGraphNode, type GraphNode } from '../../../../nodes/kit/graph-node.ts';
import type { Host } from '../../../../nodes/kit/host.ts';
import type { InputSpec } from '../../../../nodes/kit/input-spec.ts';

/** A message as a client gets it: through JSON. */
type Heard = { readonly event: string; readonly data: Data; readonly to: string | undefined };
type Data = Readonly<Record<string, unknown>>;

/** An executor and everything that came out of it. */
export type Bench = {
  readonly executor: Executor;
  readonly heard: Heard[];
  readonly logged: string[];
  /** Runs a prompt; all terminal nodes are its outputs where none are named. */
  run(prompt: ApiPrompt, options?: Partial<Job> & { readonly anonymous?: boolean }): Promise<Outcome>;
  /** Data of one kind of message, for the last prompt. */
  of(event: string): Data[];
  /** Ids that ran in the last prompt, in order. */
  ran(): unknown[];
};

let jobs = 0;

export function createBench(nodes: readonly GraphNode[], cache: CacheChoice = { kind: 'classic' }): Bench {
  const table = new Map(nodes.map((node) => [node.id, { ...node, pythonModule: 'nodes' }]));
  const heard: Heard[] = [];
  const logged: string[] = [];
  const executor = createExecutor({
    nodes: table,
    cache,
    events: {
      send: (event, data, to) => heard.push({ event, data: JSON.parse(JSON.stringify(data)), to }),
      preview: (picture, of, to) => heard.push({ event: 'preview', data: { picture, of }, to }),
      text: (message, nodeId, to) => heard.push({ event: 'text', data: { message, nodeId }, to }),
    },
    makeHost: ({ job, nodeId, signal, executed, progress }): Host => ({
      prompt: job.prompt,
      extraPnginfo: {},
      nodeId,
      signal,
      models: {
        find: async () => ({ found: false, reason: 'unconfigured' }),
        hash: async () => {
          throw new LineageError('file/unreadable', 'no models here');
        },
      },
      now: new Date(0),
      log: (_level, message) => logged.push(message),
      executed,
      progress,
      writeOutput: async () => 'nowhere',
    }),
    compute: async (kernel, input) => kernel.run(input),
    memory: createMemoryWatch(),
    log: (level, message) => logged.push(`${level}: ${message}`),
    now: () => 1_700_000_000_000,
  });
  return {
    executor,
    heard,
    logged,
    run(prompt, { anonymous, ...options } = {}) {
      heard.length = 0;
      const outputs = Object.keys(prompt).filter((id) => table.get(prompt[id]!.class_type)?.terminal);
      return executor.execute({
        number: jobs,
        promptId: `job${jobs++}`,
        prompt,
        extraData: {},
        outputs,
        ...(!anonymous && { clientId: 'me' }),
        ...options,
      });
    },
    of: (event) => heard.filter((message) => message.event === event).map((message) => message.data),
    ran: () =>
      heard.filter((message) => message.event === 'executing').map((message) => message.data['node']),
  };
}

/** A node of a prompt. */
export const at = (class_type: string, inputs: Record<string, unknown> = {}) => ({ class_type, inputs });

const any: InputSpec = { type: '*', options: {} };

/** Specs for inputs: `x` any type, `x:INT` typed, `x?` lazy, `x!` raw link. */
export function inputs(...names: string[]): Record<string, InputSpec> {
  return Object.fromEntries(
    names.map((text) => {
      const [name = '', type] = text.replace(/[?!]$/, '').split(':');
      const options = {
        ...(text.endsWith('?') && { lazy: true }),
        ...(text.endsWith('!') && { rawLink: true }),
      };
      return [name, { ...any, ...(type && { type }), options }];
    }),
  );
}

/** A class with sensible gaps filled. */
export function nodeClass(id: string, rest: Partial<GraphNode> & Pick<GraphNode, 'run'>): GraphNode {
  return defineGraphNode({
    id,
    title: id,
    category: 'test',
    description: id,
    required: {},
    outputs: [{ type: '*', name: 'value' }],
    ...rest,
  });
}

/** Puts out its `value`. */
export const Value = nodeClass('Value', {
  required: inputs('value'),
  run: ({ value }) => ({ outputs: [value] }),
});

/** Shows what it is given: the output node of these tests. */
export const Show = nodeClass('Show', {
  required: inputs('value'),
  outputs: [],
  terminal: true,
  run: ({ value }) => ({ ui: { values: [value ?? null] } }),
});

/** Turns `value1`, `value2` … into a list. */
export const MakeList = nodeClass('MakeList', {
  required: inputs('value1'),
  inputIsList: true,
  outputs: [{ type: '*', name: 'list', isList: true }],
  run: (given) => ({
    outputs: [Object.values(given).flatMap((list) => (Array.isArray(list) ? list : [list]))],
  }),
});

/** Adds up all its inputs. */
export const Sum = nodeClass('Sum', {
  required: inputs('a:INT'),
  optional: inputs('b:INT'),
  run: (given) => ({
    outputs: [Object.values(given).reduce((sum: number, value) => sum + Number(value), 0)],
  }),
});

/** A promise and the ways to end it. */
export function deferred<T>() {
  return Promise.withResolvers<T>();
}
