import { app, type CanvasNode, type MenuItem } from '../scripts/app.js';
import { allNodes } from './canvas-nodes.ts';
import { PIN_PROPERTY, PIN_SAMPLER } from './pin-property.ts';

/** For what may be a sampler: marks it as the one that the main fields of a saved picture describe. */
export function pinMenu(node: CanvasNode): MenuItem[] {
  const isPinned = node.properties[PIN_PROPERTY] === PIN_SAMPLER;
  if (!isPinned && !maySample(node)) return [];
  const content = isPinned
    ? 'Unpin as the primary sampler (Lineage)'
    : 'Pin this node as the primary sampler (Lineage)';
  return [{ content, callback: () => pin(isPinned ? undefined : node) }];
}

/** One node at most is pinned. */
function pin(chosen: CanvasNode | undefined): void {
  for (const node of allNodes())
    if (node.properties[PIN_PROPERTY] === PIN_SAMPLER) delete node.properties[PIN_PROPERTY];
  if (chosen) chosen.properties[PIN_PROPERTY] = PIN_SAMPLER;
  app.graph.setDirtyCanvas(true, true);
  app.graph.change?.();
}

/** Puts out a latent, or has what samplers of other packs have. */
function maySample({ outputs = [], widgets = [] }: CanvasNode): boolean {
  return (
    outputs.some(({ type }) => type === 'LATENT') ||
    widgets.some(({ name }) => name === 'sampler_name' || name === 'sampler')
  );
}
