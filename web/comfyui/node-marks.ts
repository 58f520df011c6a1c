import { api } from '../scripts/api.js';
import type { CanvasNode } from '../scripts/app.js';
import { element, fill } from '../shared/element.ts';
import { fetchReceipt, type SavedImage } from '../shared/panel-client.ts';
import { receiptMarks } from '../shared/story-view.ts';
import { findNode } from './canvas-nodes.ts';
import { styledRoot } from './styled-root.ts';

const WIDGET = 'lineage_receipt';
/** Pixels of the canvas: three lines of marks. */
const HEIGHT = 78;

/** The part of a node that holds our marks. They go with the node. */
const roots = new WeakMap<CanvasNode, ShadowRoot>();

/** Shows on a save node who sees what of the first picture that it saved; a click opens the rest. */
export async function showMarksOnNode(
  id: string,
  images: readonly SavedImage[],
  open: () => void,
): Promise<void> {
  const node = findNode(id);
  const [image] = images;
  if (!node || !image) return;
  const root = roots.get(node) ?? addRoot(node);
  try {
    const receipt = await fetchReceipt(api.fetchApi.bind(api), image);
    const attributes = { class: 'marks', type: 'button', title: 'How this picture was made', click: open };
    fill(root, element('button', attributes, receiptMarks(receipt)));
  } catch (error) {
    fill(root, element('p', {}, `No receipt: ${error instanceof Error ? error.message : String(error)}`));
  }
}

/** A widget that is no value: neither the workflow nor the prompt holds it. */
function addRoot(node: CanvasNode): ShadowRoot {
  const { host, root } = styledRoot();
  const widget = node.addDOMWidget(WIDGET, WIDGET, host, {
    serialize: false,
    hideOnZoom: true,
    getMinHeight: () => HEIGHT,
    getMaxHeight: () => HEIGHT,
    getValue: () => '',
    setValue: () => {},
  });
  widget.serialize = false;
  const [width = 0, height = 0] = Array.from(node.size);
  const [minWidth, minHeight] = node.computeSize();
  node.setSize([Math.max(width, minWidth), Math.max(height, minHeight)]);
  roots.set(node, root);
  return root;
}
