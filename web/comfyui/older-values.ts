import type { CanvasNode } from '../scripts/app.js';

/**
 * Gives a node of an older workflow its values again. A workflow lists values by their place, and one that was saved
 * before a menu brought widgets of its own has none for these: what follows them would stand in the wrong widgets. The
 * widgets that are new get their defaults.
 */
export function restoreOlderValues(node: CanvasNode): void {
  const { widgets = [], widgets_values: values } = node;
  // Widgets that a menu brings are named after it: `method.alpha`.
  const own = widgets.filter(({ name }) => !name.includes('.'));
  if (!Array.isArray(values) || values.length !== own.length || own.length === widgets.length) return;
  // The menu comes first. Front ends make its widgets anew then, and newer ones keep what stood in them.
  for (const [index, widget] of own.entries()) widget.value = values[index];
  const defaults = defaultsOf(node);
  for (const widget of node.widgets ?? []) {
    if (defaults.has(widget.name)) widget.value = defaults.get(widget.name);
  }
}

/** Defaults of the widgets that the menus of a node bring as they stand, by dotted name. */
function defaultsOf(node: CanvasNode): ReadonlyMap<string, unknown> {
  const { widgets = [] } = node;
  const declared = Object.entries(node.constructor.nodeData?.input.required ?? {});
  return new Map(
    declared.flatMap(([menu, [, options]]) => {
      const word = widgets.find(({ name }) => name === menu)?.value;
      const inside = options?.options?.find((option) => typeof option === 'object' && option.key === word);
      if (typeof inside !== 'object') return [];
      const brought = Object.entries({ ...inside.inputs.required, ...inside.inputs.optional });
      return brought.map(([name, [, each]]): [string, unknown] => [`${menu}.${name}`, each?.default]);
    }),
  );
}
