import { defineRules } from '../define.ts';

/**
 * This pack's own nodes, so that a graph which saves with them is traced like any other. What
 * LineageExtraMetadata adds is the user's word and is written as such: it is not followed for facts.
 */
export default defineRules({
  pack: 'lineage',
  source: 'nodes/metadata/ in this repository',
  nodes: {
    LineageSaveImage: { role: 'saver', takes: { images: 'image' } },
    LineageExtraMetadata: { role: 'value', gives: [[]] },
  },
});
