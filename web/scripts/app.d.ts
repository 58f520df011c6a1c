/**
 * What we use of ComfyUI's front end. The module is the front end's own (`/scripts/app.js`) and is not bundled.
 * Source: front ends 1.35.9 and 1.58.1, both run.
 */

/** Inputs as `/object_info` lists them: `[type, options]` by name. */
type InputGroups = {
  readonly required?: Readonly<Record<string, InputSpec>>;
  readonly optional?: Readonly<Record<string, InputSpec>>;
};
type InputSpec = readonly [
  type: unknown,
  options?: {
    readonly default?: unknown;
    /** Words of a menu; with inputs of their own where the menu brings some. */
    readonly options?: readonly (string | { readonly key: string; readonly inputs: InputGroups })[];
  },
];

/** A node on the canvas. */
export type CanvasNode = {
  readonly id: number | string;
  readonly type: string;
  readonly title: string;
  /** The class of its type, with the entry of `/object_info`. */
  readonly constructor: { readonly nodeData?: { readonly input: InputGroups } };
  properties: Record<string, unknown>;
  readonly outputs?: readonly { readonly type: unknown }[];
  readonly widgets?: readonly CanvasWidget[];
  /** As the workflow had them that the node was loaded from. */
  readonly widgets_values?: unknown;
  /** A node that stands for a subgraph. */
  readonly subgraph?: CanvasGraph;
  addDOMWidget(
    name: string,
    type: string,
    element: HTMLElement,
    options: {
      readonly serialize: boolean;
      readonly hideOnZoom: boolean;
      getMinHeight(): number;
      getMaxHeight(): number;
      getValue(): string;
      setValue(): void;
    },
  ): CanvasWidget;
  computeSize(): [number, number];
  readonly size: ArrayLike<number>;
  setSize(size: [number, number]): void;
};

/** A widget of a node. */
type CanvasWidget = { readonly name: string; serialize?: boolean; value?: unknown };

/** A graph or subgraph. */
export type CanvasGraph = {
  readonly nodes: readonly CanvasNode[];
  getNodeById(id: number | string): CanvasNode | null | undefined;
  setDirtyCanvas(foreground: boolean, background: boolean): void;
  /** Lets the editor take note of a change, for undo. */
  change?(): void;
};

/** An entry of a node's menu. */
export type MenuItem = { readonly content: string; callback(): void } | null;

/** A tab at the side. */
export type SidebarTab = {
  readonly id: string;
  /** A class of PrimeIcons. */
  readonly icon: string;
  readonly title: string;
  readonly tooltip: string;
  readonly type: 'custom';
  render(container: HTMLElement): void;
  destroy(): void;
};

/** What we register. */
export type Extension = {
  readonly name: string;
  getNodeMenuItems?(node: CanvasNode): MenuItem[];
  /** After a node of a workflow that is opened has its values. */
  loadedGraphNode?(node: CanvasNode): void;
  setup?(): void | Promise<void>;
};

/** The application. */
export const app: {
  readonly rootGraph?: CanvasGraph;
  readonly graph: CanvasGraph;
  readonly canvas: {
    readonly canvas: HTMLCanvasElement;
    readonly graph: CanvasGraph | null;
    centerOnNode(node: CanvasNode): void;
    selectNode?(node: CanvasNode): void;
  };
  /** The node under a dragged file that takes it. */
  readonly dragOverNode: CanvasNode | null;
  readonly extensionManager: {
    registerSidebarTab(tab: SidebarTab): void;
    readonly command: { execute(id: string): Promise<void> | void };
    readonly toast: {
      add(message: {
        readonly severity: 'info' | 'warn' | 'error';
        readonly summary: string;
        readonly detail: string;
        readonly life: number;
      }): void;
    };
  };
  registerExtension(extension: Extension): void;
  handleFile(file: File, source?: string): Promise<void>;
  loadGraphData(graph: unknown, clean: boolean, restoreView: boolean, name: string): Promise<void>;
  loadApiJson(prompt: unknown, name: string): void | Promise<void>;
};
