import { grownNames } from './dynamic-inputs.ts';
import type { NodeDefinition } from './node-definitions.ts';
import { AUTOGROW, isWidget } from './widget-types.ts';
import type { InputSlot, WorkflowNode } from './workflow.ts';

/**
 * The input slots as the editor orders them since front end 1.16: sockets as the class declares them, then widgets,
 * then what only the file knows. Files leave unconnected widgets out, and older ones have another order; bypassing
 * goes by this one.
 */
export function orderInputs(
  node: WorkflowNode,
  definition: NodeDefinition | undefined,
): readonly InputSlot[] {
  if (!definition) return node.inputs;
  const saved = new Map(node.inputs.map((input) => [input.name, input]));
  const ordered: InputSlot[] = [];
  const place = (name: string, type: string | undefined, widget: string | undefined): void => {
    const input = saved.get(name);
    saved.delete(name);
    ordered.push({ name, type: type ?? input?.type ?? '*', link: input?.link, widget });
  };
  const placeBehind = (prefix: string, names: readonly string[]): void => {
    for (const name of names) place(name, undefined, undefined);
    for (const input of [...saved.values()]) {
      if (input.name.startsWith(prefix)) place(input.name, input.type, input.widget);
    }
  };
  for (const input of definition.inputs.filter((each) => !isWidget(each))) {
    if (input.type === AUTOGROW) placeBehind(`${input.name}.`, grownNames(input));
    else place(input.name, input.type.startsWith('COMFY_') ? undefined : input.type, undefined);
  }
  for (const { name, type } of definition.inputs.filter(isWidget)) {
    place(name, type, name);
    placeBehind(`${name}.`, []);
  }
  return [...ordered, ...saved.values()];
}
