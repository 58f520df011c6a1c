import type { Json } from '../kit/exact-json.ts';
import type { WarningSink } from '../kit/warnings.ts';
import type { InnerValues } from './flatten.ts';
import type { NodeDefinitions } from './node-definitions.ts';
import { controlsBehind, isWidget } from './widget-types.ts';
import { show, type WidgetValues } from './widget-values.ts';
import type { Definition, InputSlot, Workflow, WorkflowNode } from './workflow.ts';

/** What an instance says of values: of its own slots, and of widgets of the nodes within. */
export type InstanceValues = { readonly own: WidgetValues; readonly inner: InnerValues };

/** `3: seed`: a widget of the node 3 of an instance within. */
const NESTED = /^\s*(\d+)\s*:\s*(.+)$/;
/** Slots that lead into instances are followed no deeper. */
const MAX_DEPTH = 64;

/**
 * The widget values of an instance. They beat those of the definition, which all its instances share.
 *
 * @param given values that an instance around this one has for its widgets
 * @param where the id of the instance, for warnings
 */
export function readInstanceValues(
  node: WorkflowNode,
  definition: Definition,
  given: WidgetValues,
  promotedSlots: PromotedSlots,
  warn: WarningSink,
  where: string,
): InstanceValues {
  const own = new Map<string, Json>();
  const inner = new Map<string, Map<string, Json>>();
  const slots = new Set(definition.inputs.map(({ name }) => name));
  const giveTo = (id: string, widget: string, value: Json): void => {
    const values = inner.get(id) ?? new Map<string, Json>();
    inner.set(id, values.set(widget, value));
  };
  const list: readonly Json[] = Array.isArray(node.values) ? node.values : [];

  if (definition.groupWidgets) {
    const row = definition.groupWidgets;
    if (list.length !== row.length && list.length > 0) {
      warn('workflow/value', `expected ${row.length} values, got ${list.length}`, where);
    }
    for (const [at, { node: id, widget }] of row.entries()) {
      const value = list[at];
      if (widget !== null && value !== undefined && value !== null) giveTo(id, widget, value);
    }
  } else {
    const proxies = readProxies(node);
    const promoted = promotedSlots(definition);
    if (proxies) {
      for (const [at, [id, name]] of proxies.entries()) {
        const value = list[at];
        if (value === undefined || value === null) continue;
        if (id === '-1') own.set(name, value);
        else giveTo(id, name, value);
      }
    } else if (list.length > 0) {
      const hasControls = list.length > promoted.length;
      let at = 0;
      for (const { name, controls } of promoted) {
        const value = list[at++];
        if (value !== undefined && value !== null) own.set(name, value);
        if (hasControls) at += controls;
      }
      if (at < list.length && list.slice(at).some((value) => value !== null)) {
        warn('workflow/value', `no input takes the values ${show(list.slice(at))}`, where);
      }
    }
    const named = node.values instanceof Map ? node.values : list.length === 0 ? node.namedValues : undefined;
    for (const [name, value] of named ?? []) if (slots.has(name) && value !== null) own.set(name, value);
  }

  for (const [name, value] of given) {
    const nested = NESTED.exec(name);
    const [, id, widget] = nested ?? [];
    if (slots.has(name)) own.set(name, value);
    else if (id !== undefined && widget !== undefined) giveTo(id, widget, value);
    else warn('workflow/value', `the instance has no widget ${name}`, where);
  }
  return { own, inner };
}

/** `properties.proxyWidgets`: the widgets that an instance shows, as node and name; -1 stands for its own slots. */
function readProxies({ properties }: WorkflowNode): readonly (readonly [string, string])[] | undefined {
  const listed = properties.get('proxyWidgets');
  if (!Array.isArray(listed) || listed.length === 0) return undefined;
  const list: readonly Json[] = listed;
  return list.map((entry) => (Array.isArray(entry) ? [String(entry[0]), String(entry[1])] : ['', '']));
}

/** The slots of a definition whose first link inside leads to a widget, with the number of controls behind it. */
export type PromotedSlots = (
  definition: Definition,
) => readonly { readonly name: string; readonly controls: number }[];

/** Answers for each definition once: instances share them. */
export function createPromotedSlots(workflow: Workflow, definitions: NodeDefinitions): PromotedSlots {
  const known = new Map<Definition, Map<number, number | undefined>>();

  /** Undefined where no widget is behind the slot. */
  const controlsOf = (definition: Definition, slot: number, depth: number): number | undefined => {
    const slots = known.get(definition) ?? new Map<number, number | undefined>();
    known.set(definition, slots);
    if (slots.has(slot) || depth > MAX_DEPTH) return slots.get(slot);
    // A definition within itself finds nothing here.
    slots.set(slot, undefined);
    const found = search(definition, slot, depth);
    slots.set(slot, found);
    return found;
  };

  const search = (definition: Definition, slot: number, depth: number): number | undefined => {
    for (const id of definition.inputs[slot]?.links ?? []) {
      const target = definition.nodes.get(definition.links.get(id)?.to ?? '');
      const input = target?.inputs.find(({ link }) => link === id);
      if (!target || !input) continue;
      const behind = workflow.definitions.get(target.type);
      const at = behind?.inputs.findIndex(({ name }) => name === input.name) ?? -1;
      const found = behind ? controlsOf(behind, at, depth + 1) : controlsOfWidget(target, input, definitions);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  return (definition) =>
    definition.inputs.flatMap(({ name }, slot) => {
      const controls = controlsOf(definition, slot, 0);
      return controls === undefined ? [] : [{ name, controls }];
    });
}

function controlsOfWidget(
  node: WorkflowNode,
  input: InputSlot,
  definitions: NodeDefinitions,
): number | undefined {
  const declared = definitions.get(node.type)?.inputs.find(({ name }) => name === input.name);
  if (declared) return isWidget(declared) ? controlsBehind(declared) : undefined;
  return input.widget === undefined ? undefined : 0;
}
