import type { Json } from '../kit/exact-json.ts';
import { DYNAMIC_COMBO } from '../kit/input-spec.ts';
import type { WarningSink } from '../kit/warnings.ts';
import { defaultOf, grownWidgets, inputsBehind, isPlain, MAX_NESTING } from './dynamic-inputs.ts';
import type { InputDefinition, NodeDefinition } from './node-definitions.ts';
import { isControlWord, isUploadValue, readList } from './read-list.ts';
import { AUTOGROW, isWidget } from './widget-types.ts';
import type { WorkflowNode } from './workflow.ts';

/** The values of a node by the names of its inputs. */
export type WidgetValues = ReadonlyMap<string, Json>;

/** Characters of values that a message shows. */
const MAX_SHOWN = 200;

/**
 * The values that a node of a known class holds, by name. Inputs that the file is silent about get the default of the
 * class, as in the editor; that is told, and so are values that no input takes.
 *
 * @param where the id of the node, for warnings
 */
export function readWidgetValues(
  node: WorkflowNode,
  definition: NodeDefinition,
  warn: WarningSink,
  where: string,
): WidgetValues {
  const { values } = node;
  if (values === undefined && node.namedValues === undefined)
    return takeDefaults(node, definition, new Map(), warn, where);
  if (values instanceof Map) return takeDefaults(node, definition, values, warn, where);
  const list = Array.isArray(values) ? values : [];
  const reading = readList(node, definition, list);
  const misfits = reading.unfit.length > 0 || reading.used !== list.length || reading.absent.length > 0;
  if (node.namedValues && (values === undefined || misfits)) {
    return takeDefaults(node, definition, node.namedValues, warn, where);
  }
  tellDefaults(reading.absent, warn, where);
  for (const name of reading.unfit) {
    warn('workflow/value', 'a value is not of the kind that the class takes', `${where}.${name}`);
  }
  const rest = list.slice(reading.used).filter((value) => value !== null && !isUploadValue(value));
  if (rest.length > 0) warn('workflow/value', `no input takes the values ${show(rest)}`, where);
  for (const { name, value } of reading.absent) if (value !== undefined) reading.found.set(name, value);
  return reading.found;
}

/**
 * What can be said of the values of a class that nobody knows: those with names, and lists as long as the inputs that
 * the file marks as widgets.
 */
export function readUnknownValues(node: WorkflowNode, warn: WarningSink, where: string): WidgetValues {
  const { values, namedValues } = node;
  if (values instanceof Map) return values;
  if (namedValues) return namedValues;
  const list = Array.isArray(values) ? values : [];
  const names = node.inputs.flatMap(({ widget }) => (widget === undefined ? [] : [widget]));
  const found = new Map<string, Json>();
  let at = 0;
  for (const name of names) {
    const value = list[at++];
    if (value !== undefined) found.set(name, value);
    if ((name === 'seed' || name === 'noise_seed') && isControlWord(list[at])) at++;
  }
  if (at === list.length) return found;
  warn('workflow/unknown-class', `the values ${show(list)} of ${node.type} have no names`, where);
  return new Map();
}

/** Values by name: those of inputs that the class has, and plain ones that its own scripts added (VHS formats). */
function takeDefaults(
  node: WorkflowNode,
  definition: NodeDefinition,
  named: WidgetValues,
  warn: WarningSink,
  where: string,
): WidgetValues {
  const found = new Map<string, Json>();
  const absent: { name: string; value: Json | undefined }[] = [];
  const left = new Set(named.keys());
  const take = (input: InputDefinition, name: string, depth: number): void => {
    if (!isWidget(input)) return;
    const value = named.get(name) ?? defaultOf(input);
    left.delete(name);
    if (value !== undefined) found.set(name, value);
    if (!named.has(name)) absent.push({ name, value });
    if (input.type !== DYNAMIC_COMBO || depth >= MAX_NESTING) return;
    for (const inner of inputsBehind(input, value)) take(inner, `${name}.${inner.name}`, depth + 1);
  };
  for (const input of definition.inputs) take(input, input.name, 0);
  for (const input of definition.inputs.filter(({ type }) => type === AUTOGROW)) {
    for (const [name, inner] of grownWidgets(node, input)) take(inner, name, 0);
  }
  tellDefaults(absent, warn, where);
  for (const name of left) {
    const value = named.get(name);
    if (value === undefined || value === null || name === 'upload' || name.startsWith('control_')) continue;
    if (isPlain(value)) found.set(name, value);
    else warn('workflow/value', `no input takes the value of ${name}`, where);
  }
  return found;
}

function tellDefaults(absent: readonly { readonly name: string }[], warn: WarningSink, where: string): void {
  if (absent.length === 0) return;
  const names = absent.map(({ name }) => name).join(', ');
  warn('workflow/default', `the file holds no value for ${names}`, where);
}

/** The beginning of values, for a message. */
export function show(values: readonly Json[]): string {
  const text = JSON.stringify(values);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
