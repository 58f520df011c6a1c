import type { AnyNode } from './define-node.ts';
import type { Field } from './fields.ts';
import { DYNAMIC_COMBO, type InputSpec, toInputSpec } from './input-spec.ts';

/** An input in ComfyUI's terms, by name. */
export type NamedInput = InputSpec & { readonly name: string; readonly optional: boolean };

/** Types that the canvas draws as widgets; all others are sockets. */
const WIDGET_TYPES: ReadonlySet<string> = new Set([
  'STRING',
  'INT',
  'FLOAT',
  'BOOLEAN',
  'COMBO',
  DYNAMIC_COMBO,
]);

/** A node's inputs as the canvas lists them: what is required first. */
export function inputsInOrder({ inputs }: Pick<AnyNode, 'inputs'>): readonly NamedInput[] {
  const all = Object.entries(inputs).map(([name, field]) => ({
    name,
    optional: field.optional ?? false,
    ...toInputSpec(field),
  }));
  return [...all.filter(({ optional }) => !optional), ...all.filter(({ optional }) => optional)];
}

/** Whether the canvas draws a widget for an input: it then has a place in a workflow's `widgets_values`. */
export function isWidget({ type }: InputSpec): boolean {
  return typeof type !== 'string' || WIDGET_TYPES.has(type);
}

/**
 * What a node has in a workflow's `widgets_values`: those of a dynamic choice follow its word.
 * @param given values of a prompt, by dotted name; others are defaults
 */
export function widgetValues(
  { inputs }: Pick<AnyNode, 'inputs'>,
  given: Readonly<Record<string, unknown>>,
  prefix = '',
): readonly unknown[] {
  return inputsInOrder({ inputs }).flatMap((input) => {
    if (!isWidget(input)) return [];
    const name = prefix + input.name;
    const field: Field | undefined = inputs[input.name];
    if (field?.kind !== 'dynamic-choice') return [given[name] ?? input.options['default'] ?? ''];
    const word = given[name] ?? Object.keys(field.options)[0];
    const inside = (typeof word === 'string' && field.options[word]) || {};
    return [word, ...widgetValues({ inputs: inside }, given, `${name}.`)];
  });
}

/**
 * The other way: the named values of a node's `widgets_values`, those inside a dynamic choice by dotted name.
 *
 * @returns undefined where there are more values than the node has widgets: they are of another version of it
 */
export function readWidgetValues(
  node: Pick<AnyNode, 'inputs'>,
  values: readonly unknown[],
): Readonly<Record<string, unknown>> | undefined {
  // With a value for each widget of its own alone, it is of before a dynamic choice brought some; or none brings any.
  const own = inputsInOrder(node).filter(isWidget);
  if (values.length === own.length)
    return Object.fromEntries(own.map(({ name }, index) => [name, values[index]]));
  const left = [...values];
  const named = takeWidgets(node, left, '');
  return left.length > 0 ? undefined : named;
}

/** @param left values that no input has taken; those that are taken go from it. */
function takeWidgets(
  { inputs }: Pick<AnyNode, 'inputs'>,
  left: unknown[],
  prefix: string,
): Readonly<Record<string, unknown>> {
  const named: Record<string, unknown> = {};
  for (const input of inputsInOrder({ inputs })) {
    if (!isWidget(input) || left.length === 0) continue;
    const name = prefix + input.name;
    const value = left.shift();
    named[name] = value;
    const field: Field | undefined = inputs[input.name];
    const words = field?.kind === 'dynamic-choice' ? field.options : {};
    const inside = typeof value === 'string' && Object.hasOwn(words, value) ? words[value] : undefined;
    if (inside) Object.assign(named, takeWidgets({ inputs: inside }, left, `${name}.`));
  }
  return named;
}
