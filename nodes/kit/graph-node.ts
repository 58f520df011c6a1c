import type { ApiNode, ApiPrompt } from './api-prompt.ts';
import type { Host } from './host.ts';
import type { InputSpec } from './input-spec.ts';

/**
 * A node in ComfyUI's own terms: all that its executor knows of a class. The embedded runtime runs these; what
 * `defineNode` describes is brought into this form by it. Write one only for what ComfyUI itself has (nodes/builtin)
 * or for a graph that steers itself (lazy inputs, expansion); everything else is a `defineNode`.
 *
 * Values on links, by socket type: IMAGE and MASK are `readonly Pixels[]` (a batch of one shape; a mask has one
 * channel and floats), INT a number or, where it is no safe integer, a bigint, FLOAT a number, STRING a string,
 * BOOLEAN a boolean. Values are shared, never copied: a node must not write into what it was given.
 */
export type GraphNode = {
  /** The class type. */
  readonly id: string;
  readonly title: string;
  readonly category: string;
  readonly description: string;
  readonly required: Readonly<Record<string, InputSpec>>;
  readonly optional?: Readonly<Record<string, InputSpec>>;
  /** Input name to what the host fills in; another type than these is an input like any other, without a widget. */
  readonly hidden?: Readonly<Record<string, string>>;
  readonly outputs: readonly OutputSpec[];
  /** Runs for its effect (`OUTPUT_NODE`). */
  readonly terminal?: boolean;
  /** `run` is called once with lists, instead of once for each element. */
  readonly inputIsList?: boolean;
  /** Undeclared literals are handed to `run` too (undeclared links always are). */
  readonly acceptsAllInputs?: boolean;
  /** Two equal nodes never share a cached result. */
  readonly notIdempotent?: boolean;
  readonly deprecated?: boolean;
  readonly experimental?: boolean;
  /** Picked early, since it runs beside others (ComfyUI: an `async def`). */
  readonly isAsync?: boolean;
  /** Which of the lazy inputs are needed, by name; called until it asks for nothing new. */
  checkLazy?(inputs: RunInputs, context: RunContext): readonly string[] | Promise<readonly string[]>;
  /**
   * What the result depends on beside the inputs (`IS_CHANGED`). Linked inputs arrive as undefined. NaN: always new.
   */
  fingerprint?(inputs: RunInputs, context: RunContext): unknown;
  readonly validate?: Validator;
  run(inputs: RunInputs, context: RunContext): GraphResult | Promise<GraphResult>;
};

/** An output slot. */
export type OutputSpec = {
  readonly type: string;
  readonly name: string;
  readonly tooltip?: string;
  /** The value is a list whose elements flow on one by one. */
  readonly isList?: boolean;
};

/**
 * Values by input name, without prototype. Absent optional inputs are absent; a lazy one not asked for is undefined. A
 * dynamic combo (`DYNAMIC_COMBO`) is an object of its word and the inputs of that: `{method: {method: 'ties', density: 0.2}}`.
 */
export type RunInputs = Readonly<Record<string, unknown>>;

/** `VALIDATE_INPUTS`: takes over checks from the host. */
export type Validator = {
  /** The inputs it wants, whose own checks (range, menu) the host then skips; `all` skips every one. */
  readonly inputs: readonly string[] | 'all';
  /** It checks the types of links itself. */
  readonly checksTypes?: boolean;
  /**
   * Linked inputs arrive as undefined, literals coerced.
   * @param types what is linked to each input, by socket type; only with `checksTypes`.
   * @param files where the host has folders of pictures to look into.
   * @returns true, or what is wrong.
   */
  check(
    inputs: RunInputs,
    types: Readonly<Record<string, string>>,
    files?: InputFiles,
  ): true | string | Promise<true | string>;
};

/** What a validator may ask of the host's folders of pictures. */
export type InputFiles = {
  /** Whether `Host.readInput` would find a file under this name, spelt as there. */
  has(name: string): boolean | Promise<boolean>;
};

/** What a run gives back. */
export type GraphResult = {
  /** A value for each output slot; may hold `ExecutionBlocker`s, and links `[id, slot]` into `expand`. */
  readonly outputs?: readonly unknown[];
  /** ComfyUI's `ui` message: lists by name. */
  readonly ui?: Readonly<Record<string, readonly unknown[]>>;
  /** A graph that runs in place of this node; its literals may be values of any kind. */
  readonly expand?: Readonly<Record<string, ExpandedNode>>;
};

/** A node of an expansion. */
export type ExpandedNode = ApiNode & {
  /** Shown as this node; the parent where absent. */
  readonly override_display_id?: string;
  readonly override_parent_id?: string;
};

/** A value that stops whatever depends on it; with a message, the client is told once. */
export class ExecutionBlocker {
  readonly message: string | undefined;

  constructor(message?: string) {
    this.message = message;
  }
}

/** The graph while it runs, expansions included. */
export type DynamicPrompt = {
  readonly original: ApiPrompt;
  node(id: string): ApiNode | undefined;
  /** The node that a client shows for this one. */
  displayId(id: string): string;
  /** The node whose expansion made this one. */
  parentId(id: string): string | undefined;
};

/** What a node may ask while it runs. */
export type RunContext = {
  readonly host: Host;
  readonly dynamicPrompt: DynamicPrompt;
  /** Runs a kernel off the main thread; typed arrays over shared memory are not copied. */
  compute<I, O>(kernel: Kernel<I, O>, input: I): Promise<O>;
};

/** A pure function over pixels that a worker runs. One file each, `nodes/builtin/kernels/<name>.ts`. */
export type Kernel<I, O> = {
  /** The file's name. */
  readonly name: string;
  /** Samples (or other small steps) that a run takes: a small one needs no thread. Absent: always a thread. */
  steps?(input: I): number;
  /** The longest that it may run; then it is stopped and the node fails. Absent: as long as it takes. */
  readonly milliseconds?: number;
  /** Pure; what it makes in bulk lies in shared memory (`nodes/builtin/shared-samples.ts`), or it is copied. */
  run(input: I): O;
};

/** A kernel as the worker holds it: with its types forgotten. */
export type AnyKernel = {
  readonly name: string;
  // Method syntax keeps a list of differently typed kernels assignable.
  run(input: never): unknown;
};

/** Types a node where it is written; gives back what it was given. */
export function defineGraphNode(node: GraphNode): GraphNode {
  return node;
}

/** Types a kernel where it is written; gives back what it was given. */
export function defineKernel<I, O>(kernel: Kernel<I, O>): Kernel<I, O> {
  return kernel;
}
