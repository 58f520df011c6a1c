import type { Json } from '../kit/exact-json.ts';

/**
 * A workflow as ComfyUI's editor saves it, once it was read: ids are texts, links are objects, and what was no node or
 * link is gone. Nothing in here is resolved; `flatten.ts` does that.
 */
export type Workflow = WorkflowGraph & {
  /** Definitions that instances name by their type, subgraphs and group nodes alike. */
  readonly definitions: ReadonlyMap<string, Definition>;
};

/** Nodes and the links between them. */
export type WorkflowGraph = {
  readonly nodes: ReadonlyMap<string, WorkflowNode>;
  readonly links: ReadonlyMap<string, WorkflowLink>;
};

/** A graph behind a node: what goes in and comes out, in the order of the slots of an instance. */
export type Definition = WorkflowGraph & {
  readonly name: string;
  readonly inputs: readonly BoundarySlot[];
  readonly outputs: readonly BoundarySlot[];
  /** Where links from outside begin and those to the outside end. */
  readonly inputId: string;
  readonly outputId: string;
  /** Group nodes hold the widget values of all their nodes in one list, the nodes of this map in this order. */
  readonly groupWidgets?: readonly GroupWidget[];
};

/** A slot of a definition, with the links inside it. */
export type BoundarySlot = {
  readonly name: string;
  readonly type: string;
  readonly links: readonly string[];
};

/** A widget of a node in a group; null stands for a value that no prompt takes (`control_after_generate`). */
export type GroupWidget = { readonly node: string; readonly widget: string | null; readonly type: string };

export type WorkflowNode = {
  readonly id: string;
  readonly type: string;
  readonly title: string | undefined;
  /** `MODES`; other numbers run. */
  readonly mode: number;
  readonly inputs: readonly InputSlot[];
  readonly outputs: readonly OutputSlot[];
  /** By position, or by name as some packs save them. */
  readonly values: readonly Json[] | ReadonlyMap<string, Json> | undefined;
  /** Beside `values` since front end 1.49. */
  readonly namedValues: ReadonlyMap<string, Json> | undefined;
  readonly properties: ReadonlyMap<string, Json>;
};

export type InputSlot = {
  readonly name: string;
  readonly type: string;
  /** The id of a link; undefined where nothing is connected. */
  readonly link: string | undefined;
  /** The widget whose value the link takes the place of. */
  readonly widget: string | undefined;
};

type OutputSlot = { readonly name: string; readonly type: string };

export type WorkflowLink = {
  readonly from: string;
  readonly fromSlot: number;
  readonly to: string;
  readonly toSlot: number;
};

/** What a node does when the graph runs (LiteGraph's event modes). */
export const MODES = { muted: 2, bypassed: 4 } as const;

/** Any type connects to it. */
export const ANY_TYPE = '*';
