import type { WarningSink } from '../kit/warnings.ts';
import type { GroupData } from './group-data.ts';
import type { NodeDefinition, NodeDefinitions } from './node-definitions.ts';
import { controlsBehind, isWidget } from './widget-types.ts';
import type {
  BoundarySlot,
  Definition,
  GroupWidget,
  InputSlot,
  WorkflowLink,
  WorkflowNode,
} from './workflow.ts';

const [INPUT, OUTPUT] = ['-10', '-20'] as const;

type Slot = { readonly node: string; readonly slot: number; readonly name: string; readonly type: string };

/**
 * A group node as a definition like that of a subgraph: its slots are what its nodes leave open, in the order in which
 * the front end showed them (1.35.9 extensions/core/groupNode.ts).
 */
export function toGroupDefinition(
  name: string,
  data: GroupData,
  definitions: NodeDefinitions,
  warn: WarningSink,
): Definition {
  const nodes = data.nodes.map((node, index) => ({ ...node, id: String(index) }));
  const innerLinks = data.links.flatMap(({ from, ...link }) => (from === null ? [] : [{ ...link, from }]));
  const inside = {
    links: innerLinks,
    taken: new Set(innerLinks.map(({ to, toSlot }) => keyOf(to, toSlot))),
    used: new Set(innerLinks.map(({ from, fromSlot }) => keyOf(from, fromSlot))),
    external: new Set(data.external.map(({ node, slot }) => keyOf(node, slot))),
  };
  for (const { type } of nodes) {
    if (!definitions.has(type) && type !== 'Reroute' && type !== 'PrimitiveNode')
      warn('workflow/unknown-class', `no class ${type} is known`, `extra.groupNodes.${name}`);
  }
  const links = new Map<string, WorkflowLink>(innerLinks.map((link, index) => [`inside ${index}`, link]));
  const openInputs = [
    ...nodes.flatMap((node) => socketsOf(node, definitions.get(node.type), data, inside)),
    // Widgets that were made inputs come behind those of all nodes.
    ...nodes.flatMap((node) => convertedOf(node, definitions.get(node.type), inside)),
  ];
  const openOutputs = nodes.flatMap((node) => outputsOf(node, definitions.get(node.type), data, inside));
  for (const [slot, to] of openInputs.entries()) {
    links.set(`in ${slot}`, { from: INPUT, fromSlot: slot, to: to.node, toSlot: to.slot });
  }
  for (const [slot, from] of openOutputs.entries()) {
    links.set(`out ${slot}`, { from: from.node, fromSlot: from.slot, to: OUTPUT, toSlot: slot });
  }
  const arriving = new Map([...links].map(([id, { to, toSlot }]) => [keyOf(to, toSlot), id]));
  const border = (slots: readonly Slot[], word: string): readonly BoundarySlot[] =>
    slots.map(({ name: slotName, type }, slot) => ({ name: slotName, type, links: [`${word} ${slot}`] }));
  return {
    name,
    nodes: new Map(nodes.map((node) => [node.id, withLinks(node, definitions.get(node.type), arriving)])),
    links,
    inputs: border(openInputs, 'in'),
    outputs: border(openOutputs, 'out'),
    inputId: INPUT,
    outputId: OUTPUT,
    groupWidgets: widgetsOf(nodes, definitions, inside),
  };
}

/** The links between the nodes of a group, and the slots that they and those to the outside touch. */
type Inside = {
  readonly links: readonly WorkflowLink[];
  readonly taken: ReadonlySet<string>;
  readonly used: ReadonlySet<string>;
  readonly external: ReadonlySet<string>;
};

function keyOf(node: string, slot: number): string {
  return `${slot} ${node}`;
}

/** Sockets in the order of the class, then widgets that were made inputs: links in a group count this way. */
function slotsOf(node: WorkflowNode, definition: NodeDefinition | undefined): readonly InputSlot[] {
  if (!definition)
    return node.inputs.length > 0
      ? node.inputs
      : [{ name: '', type: '*', link: undefined, widget: undefined }];
  const sockets = definition.inputs
    .filter((input) => !isWidget(input))
    .map(({ name, type }) => ({ name, type, link: undefined, widget: undefined }));
  return [...sockets, ...converted(node, definition)];
}

function converted(node: WorkflowNode, definition: NodeDefinition): readonly InputSlot[] {
  const widgets = new Set(definition.inputs.filter(isWidget).map(({ name }) => name));
  return node.inputs.filter(({ name, widget }) => widget === name && widgets.has(name));
}

function socketsOf(
  node: WorkflowNode,
  definition: NodeDefinition | undefined,
  data: GroupData,
  inside: Inside,
): readonly Slot[] {
  if (node.type === 'PrimitiveNode') return [];
  const settings = data.config[node.id]?.input ?? {};
  const sockets = slotsOf(node, definition).filter(({ widget }) => widget === undefined);
  return sockets.flatMap(({ name, type }, slot) => {
    if (inside.taken.has(keyOf(node.id, slot)) || settings[name]?.visible === false) return [];
    return [{ node: node.id, slot, name, type }];
  });
}

function convertedOf(
  node: WorkflowNode,
  definition: NodeDefinition | undefined,
  inside: Inside,
): readonly Slot[] {
  if (!definition) return [];
  return slotsOf(node, definition).flatMap(({ name, type, widget }, slot) =>
    widget === undefined || inside.taken.has(keyOf(node.id, slot))
      ? []
      : [{ node: node.id, slot, name, type }],
  );
}

function outputsOf(
  node: WorkflowNode,
  definition: NodeDefinition | undefined,
  data: GroupData,
  inside: Inside,
): readonly Slot[] {
  // A reroute between two nodes of the group has no slots outside.
  const isExternal = (slot: number): boolean => inside.external.has(keyOf(node.id, slot));
  if (
    node.type === 'Reroute' &&
    inside.taken.has(keyOf(node.id, 0)) &&
    inside.used.has(keyOf(node.id, 0)) &&
    !isExternal(0)
  )
    return [];
  const settings = data.config[node.id]?.output ?? {};
  const types = definition?.outputs ?? node.outputs.map(({ type }) => type);
  return types.flatMap((type, slot) => {
    const isShown =
      settings[String(slot)]?.visible ?? (!inside.used.has(keyOf(node.id, slot)) || isExternal(slot));
    return isShown ? [{ node: node.id, slot, name: node.outputs[slot]?.name ?? type, type }] : [];
  });
}

/** In one row for all nodes; a widget that was made an input has none, one that is open has its own at the end. */
function widgetsOf(
  nodes: readonly WorkflowNode[],
  definitions: NodeDefinitions,
  inside: Inside,
): readonly GroupWidget[] {
  const row: GroupWidget[] = [];
  const last: GroupWidget[] = [];
  for (const node of nodes) {
    if (node.type === 'PrimitiveNode') {
      row.push(...primitiveWidgets(node, nodes, definitions, inside));
      continue;
    }
    const definition = definitions.get(node.type);
    if (!definition) continue;
    const slots = slotsOf(node, definition);
    for (const input of definition.inputs.filter(isWidget)) {
      const slot = slots.findIndex(({ name, widget }) => widget !== undefined && name === input.name);
      if (slot >= 0 && inside.taken.has(keyOf(node.id, slot))) continue;
      const place = slot >= 0 ? last : row;
      place.push({ node: node.id, widget: input.name, type: input.type });
      for (let i = 0; i < controlsBehind(input); i++)
        place.push({ node: node.id, widget: null, type: 'control' });
    }
  }
  return [...row, ...last];
}

/** A primitive shows what the widget behind its first link takes. */
function primitiveWidgets(
  node: WorkflowNode,
  nodes: readonly WorkflowNode[],
  definitions: NodeDefinitions,
  inside: Inside,
): readonly GroupWidget[] {
  const link = inside.links.find(({ from }) => from === node.id);
  const target = nodes.find(({ id }) => id === link?.to);
  if (!link || !target) return [];
  const definition = definitions.get(target.type);
  const name = slotsOf(target, definition)[link.toSlot]?.name;
  const type = definition?.inputs.find((input) => input.name === name)?.type ?? '*';
  const controls = controlsBehind({ name: 'value', type, options: { control_after_generate: true } });
  return [
    { node: node.id, widget: 'value', type },
    ...Array.from({ length: controls }, () => ({ node: node.id, widget: null, type: 'control' })),
  ];
}

function withLinks(
  node: WorkflowNode,
  definition: NodeDefinition | undefined,
  arriving: ReadonlyMap<string, string>,
): WorkflowNode {
  const inputs = slotsOf(node, definition).map((input, slot) => {
    const link = arriving.get(keyOf(node.id, slot));
    return { ...input, link };
  });
  return { ...node, inputs };
}
