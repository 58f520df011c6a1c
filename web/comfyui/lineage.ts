import { api, type ExecutedDetail } from '../scripts/api.js';
import { app } from '../scripts/app.js';
import { isSavedImage } from '../shared/panel-client.ts';
import { loadDroppedPictures } from './drop-pictures.ts';
import { hintMenu } from './hint-menu.ts';
import { showMarksOnNode } from './node-marks.ts';
import { restoreOlderValues } from './older-values.ts';
import { pinMenu } from './pin-menu.ts';
import { createSidebar } from './sidebar.ts';

/**
 * Lineage in ComfyUI's front end: after a save, who sees what in the file and how it was made; a pin for the primary
 * sampler; JPEG and AVIF pictures on the canvas. Uses what the front end offers to extensions and nothing else.
 */

/** Our node that saves. */
const SAVE_NODE = 'LineageSaveImage';
/** Our node whose method was a menu alone. */
const MERGE_NODE = 'LineageMerge';

const sidebar = createSidebar();

app.registerExtension({
  name: 'lineage',
  setup() {
    sidebar.register();
    loadDroppedPictures();
    api.addEventListener('executed', ({ detail }) => hear(detail));
  },
  loadedGraphNode(node) {
    if (node.type === MERGE_NODE) restoreOlderValues(node);
  },
  getNodeMenuItems(node) {
    if (node.type !== SAVE_NODE) return [...pinMenu(node), ...hintMenu(node)];
    const content = 'Show how the picture was made (Lineage)';
    return [{ content, callback: () => sidebar.open(String(node.id)) }];
  },
});

/** Only our save node says which warnings and receipts there are. */
function hear({ node, display_node: shown, output }: ExecutedDetail): void {
  if (!output || !Array.isArray(output['receipts']) || !Array.isArray(output['images'])) return;
  const images = output['images'].filter(isSavedImage);
  const id = String(shown ?? node);
  if (images.length === 0) return;
  sidebar.add({ node: id, images });
  void showMarksOnNode(id, images, () => sidebar.open(id));
}
