import { app, type CanvasNode, type MenuItem } from '../scripts/app.js';
import { HINT_PROPERTY, HINTS } from './hint-property.ts';

/** For any node but a saving one: says what it holds, where that could not be guessed. */
export function hintMenu(node: CanvasNode): MenuItem[] {
  const hinted = node.properties[HINT_PROPERTY];
  const known = HINTS.find(({ value }) => value === hinted);
  if (known)
    return [{ content: `No longer ${known.label} (Lineage)`, callback: () => mark(node, undefined) }];
  return HINTS.filter(({ fits }) =>
    (node.widgets ?? []).some((widget) => fits(widget.name, widget.value)),
  ).map(({ value, label }) => ({
    content: `This is ${label} (Lineage)`,
    callback: () => mark(node, value),
  }));
}

function mark(node: CanvasNode, value: string | undefined): void {
  if (value === undefined) delete node.properties[HINT_PROPERTY];
  else node.properties[HINT_PROPERTY] = value;
  app.graph.setDirtyCanvas(true, true);
  app.graph.change?.();
}
