import { LineageError } from '../kit/errors.ts';
import type { Json } from '../kit/exact-json.ts';
import type { WarningSink } from '../kit/warnings.ts';
import { createPromotedSlots, readInstanceValues } from './instance-values.ts';
import type { NodeDefinition, NodeDefinitions } from './node-definitions.ts';
import { orderInputs } from './slots.ts';
import { type VirtualKind, virtualKindOf } from './virtual-nodes.ts';
import { readUnknownValues, readWidgetValues, type WidgetValues } from './widget-values.ts';
import {
  type Definition,
  type InputSlot,
  MODES,
  type Workflow,
  type WorkflowGraph,
  type WorkflowNode,
} from './workflow.ts';

/** A node in its place: a definition that is used twice gives its nodes twice. */
export type FlatNode = {
  /** `3`, or `57:8` within the instance 57. */
  readonly id: string;
  readonly node: WorkflowNode;
  readonly scope: Scope;
  /** What is inside of an instance of a subgraph or group. */
  readonly inner: Scope | undefined;
  readonly kind: VirtualKind | undefined;
  readonly definition: NodeDefinition | undefined;
  readonly inputs: readonly InputSlot[];
  /** By input; for an instance those of its own slots, for a primitive its `value`. */
  readonly values: WidgetValues;
  /** Neither it nor an instance around it is muted or bypassed. */
  readonly isActive: boolean;
};

/** One graph in its place. */
export type Scope = {
  readonly graph: WorkflowGraph;
  /** Undefined for the outermost. */
  readonly definition: Definition | undefined;
  readonly owner: FlatNode | undefined;
  readonly nodes: ReadonlyMap<string, FlatNode>;
};

/** Values that an instance gives to the nodes within, by node and widget. */
export type InnerValues = ReadonlyMap<string, WidgetValues>;

/** The editor allows far less. */
const MAX_DEPTH = 64;
/** Ten instances of ten instances of ten … would fill any memory. */
const MAX_NODES = 100_000;

/**
 * Takes a workflow apart to nodes that no longer contain others.
 *
 * @returns all nodes, instances before what they contain, and the outermost graph
 * @throws LineageError `workflow/recursive` for a definition within itself, `workflow/too-large`
 */
export function flattenWorkflow(
  workflow: Workflow,
  definitions: NodeDefinitions,
  warn: WarningSink,
): { readonly root: Scope; readonly nodes: readonly FlatNode[] } {
  const all: FlatNode[] = [];
  const promotedSlots = createPromotedSlots(workflow, definitions);

  const enter = (
    graph: WorkflowGraph,
    definition: Definition | undefined,
    owner: FlatNode | undefined,
    given: InnerValues,
    around: readonly Definition[],
  ): Scope => {
    const nodes = new Map<string, FlatNode>();
    const scope: Scope = { graph, definition, owner, nodes };
    for (const node of graph.nodes.values()) {
      const flat = place(node, scope, given.get(node.id) ?? new Map(), around);
      nodes.set(node.id, flat);
    }
    return scope;
  };

  const place = (
    node: WorkflowNode,
    scope: Scope,
    given: WidgetValues,
    around: readonly Definition[],
  ): FlatNode => {
    if (all.length >= MAX_NODES)
      throw new LineageError('workflow/too-large', `expected at most ${MAX_NODES} nodes, got more`);
    const { owner } = scope;
    const id = owner ? `${owner.id}:${node.id}` : node.id;
    const isAsleep = node.mode === MODES.muted || node.mode === MODES.bypassed;
    const common = { id, node, scope, isActive: !isAsleep && (owner?.isActive ?? true) };
    const behind = workflow.definitions.get(node.type);
    if (!behind) {
      const flat = { ...common, ...asLeaf(node, given, definitions, warn, id), inner: undefined };
      all.push(flat);
      return flat;
    }
    if (around.includes(behind)) {
      throw new LineageError(
        'workflow/recursive',
        `expected a graph that ends, got ${behind.name} within itself`,
        {
          node: id,
        },
      );
    }
    if (around.length >= MAX_DEPTH)
      throw new LineageError('workflow/too-large', `expected at most ${MAX_DEPTH} levels, got more`);
    const { own, inner } = readInstanceValues(node, behind, given, promotedSlots, warn, id);
    const byName = new Map(node.inputs.map((input) => [input.name, input]));
    const inputs = behind.inputs.map(({ name, type }, slot) => {
      // The slots of a group have names of their own making; their order is all that counts.
      const saved = behind.groupWidgets ? node.inputs[slot] : byName.get(name);
      return { name, type, link: saved?.link, widget: saved?.widget };
    });
    const flat: { -readonly [Key in keyof FlatNode]: FlatNode[Key] } = {
      ...{ ...common, kind: undefined, definition: undefined, inputs, values: own, inner: undefined },
    };
    all.push(flat);
    flat.inner = enter(behind, behind, flat, inner, [...around, behind]);
    return flat;
  };

  return { root: enter(workflow, undefined, undefined, new Map(), []), nodes: all };
}

function asLeaf(
  node: WorkflowNode,
  given: WidgetValues,
  definitions: NodeDefinitions,
  warn: WarningSink,
  id: string,
): Pick<FlatNode, 'kind' | 'definition' | 'inputs' | 'values'> {
  const definition = definitions.get(node.type);
  const kind = definition ? undefined : (virtualKindOf(node.type) ?? kindBySlots(node, warn, id));
  const inputs = orderInputs(node, definition);
  const values = new Map(readOwnValues(node, kind, definition, warn, id));
  for (const [name, value] of given) values.set(name, value);
  return { kind, definition, inputs, values };
}

/** What nobody knows and nothing can be connected to is of the editor only. */
function kindBySlots(node: WorkflowNode, warn: WarningSink, id: string): VirtualKind | undefined {
  if (node.inputs.length > 0 || node.outputs.length > 0) return undefined;
  warn('workflow/unknown-class', `no class ${node.type} is known; without slots it was taken for a note`, id);
  return 'aside';
}

function readOwnValues(
  node: WorkflowNode,
  kind: VirtualKind | undefined,
  definition: NodeDefinition | undefined,
  warn: WarningSink,
  id: string,
): WidgetValues {
  if (definition) return readWidgetValues(node, definition, warn, id);
  if (kind === undefined) return readUnknownValues(node, warn, id);
  const [first] =
    node.values instanceof Map ? node.values.values() : (node.values ?? node.namedValues?.values() ?? []);
  const value: Json | undefined = first;
  return value === undefined || value === null ? new Map() : new Map([['value', value]]);
}
