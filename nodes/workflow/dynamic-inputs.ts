import { ExactNumber, type Json } from '../kit/exact-json.ts';
import { DYNAMIC_COMBO } from '../kit/input-spec.ts';
import { isRecord } from '../kit/is-record.ts';
import { type InputDefinition, readInputs } from './node-definitions.ts';
import { isWidget } from './widget-types.ts';
import type { WorkflowNode } from './workflow.ts';

/** Nested menus deeper than any node has. */
export const MAX_NESTING = 8;

/** The inputs that the chosen word of a dynamic menu brings. */
export function inputsBehind(menu: InputDefinition, word: Json | undefined): readonly InputDefinition[] {
  const options: readonly unknown[] = Array.isArray(menu.options['options']) ? menu.options['options'] : [];
  const chosen = options.find((option) => isRecord(option) && option['key'] === word);
  const groups = isRecord(chosen) ? chosen['inputs'] : undefined;
  if (!isRecord(groups)) return [];
  return [...readInputs(groups['required'], [], true), ...readInputs(groups['optional'], [], false)];
}

/** The widgets of a growing group: as many as it begins with, and those that the file names. */
export function grownWidgets(
  node: WorkflowNode,
  group: InputDefinition,
): readonly (readonly [string, InputDefinition])[] {
  const template = isRecord(group.options['template']) ? group.options['template'] : {};
  const inner = isRecord(template['input'])
    ? [
        ...readInputs(template['input']['required'], [], true),
        ...readInputs(template['input']['optional'], [], false),
      ]
    : [];
  const [only] = inner;
  if (inner.length !== 1 || !only || !isWidget(only)) return [];
  const names = grownNames(group);
  const saved = node.inputs.filter(({ name }) => name.startsWith(`${group.name}.`)).map(({ name }) => name);
  return [...new Set([...names, ...saved])].map((name) => [name, only] as const);
}

/** The names that a growing group begins with. */
export function grownNames(group: InputDefinition): readonly string[] {
  const template = isRecord(group.options['template']) ? group.options['template'] : {};
  const least = typeof template['min'] === 'number' ? Math.min(100, Math.max(0, template['min'])) : 1;
  const names: readonly unknown[] = Array.isArray(template['names']) ? template['names'] : [];
  const prefix = typeof template['prefix'] === 'string' ? template['prefix'] : '';
  return Array.from({ length: least }, (_, at) => `${group.name}.${names[at] ?? `${prefix}${at}`}`);
}

/** What the editor puts where a file is silent; nothing where the server lists files. */
export function defaultOf(input: InputDefinition): Json | undefined {
  const given = input.options['default'];
  if (isPlain(given)) return given;
  if (Array.isArray(given)) return given.filter(isPlain);
  switch (input.type) {
    case 'INT':
    case 'FLOAT':
      return 0;
    case 'STRING':
      return '';
    case 'BOOLEAN':
      return false;
    case 'COMBO':
      return input.choices[0];
    case DYNAMIC_COMBO: {
      const [first]: readonly unknown[] = Array.isArray(input.options['options'])
        ? input.options['options']
        : [];
      return isRecord(first) && typeof first['key'] === 'string' ? first['key'] : undefined;
    }
    default:
      return undefined;
  }
}

/** A value that a widget of a text, number or switch holds. */
export function isPlain(value: unknown): value is string | number | boolean | ExactNumber {
  return ['string', 'number', 'boolean'].includes(typeof value) || value instanceof ExactNumber;
}
