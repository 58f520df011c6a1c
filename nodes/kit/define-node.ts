import type { Field, ValueOf } from './fields.ts';
import type { Host } from './host.ts';

/** Values of a node's inputs, typed by its fields. */
export type InputsOf<I extends Readonly<Record<string, Field>>> = { readonly [K in keyof I]: ValueOf<I[K]> };

/** What a node puts out: socket type names of ComfyUI (`IMAGE`) or of our own. */
export type Outputs = Readonly<Record<string, { readonly type: string; readonly tooltip: string }>>;

/**
 * What a run gives back: a value for each output, and what a client may show. Pictures are handed over with it, and
 * those of the inputs were lent: a host may free or reuse the memory of both once the run has ended.
 */
type NodeResult<O extends Outputs> = {
  readonly outputs: { readonly [K in keyof O]: unknown };
  /** ComfyUI's `ui` message: lists by name. */
  readonly ui?: Readonly<Record<string, readonly unknown[]>>;
};

/** A node as its author writes it: what stands on the canvas, and what it does. */
export type NodeSpec<I extends Readonly<Record<string, Field>>, O extends Outputs> = {
  /** Starts with `Lineage`; never changes once released. */
  readonly id: `Lineage${string}`;
  readonly title: string;
  /** `lineage/<room>` */
  readonly category: string;
  readonly description: string;
  /** Runs for its effect, although nothing consumes it. */
  readonly terminal?: boolean;
  /** Asks its host for `classes`, which some hosts only bring along then. */
  readonly asksClasses?: true;
  readonly inputs: I;
  readonly outputs: O;
  run(inputs: InputsOf<I>, host: Host): Promise<NodeResult<O>>;
};

/** A node definition as hosts hold it: with the types of its inputs forgotten. */
export type AnyNode = Omit<NodeSpec<Readonly<Record<string, Field>>, Outputs>, 'run'> & {
  // Method syntax keeps a list of differently typed nodes assignable; hosts check inputs by the fields.
  run(inputs: never, host: Host): Promise<NodeResult<Outputs>>;
};

/** Types a node where it is written; gives back what it was given. */
export function defineNode<const I extends Readonly<Record<string, Field>>, const O extends Outputs>(
  spec: NodeSpec<I, O>,
): NodeSpec<I, O> {
  return spec;
}
