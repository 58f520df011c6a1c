import { defineRules, type NodeRule } from '../define.ts';

/** What goes into a merged file stands in the file; the picture names the file. */
const MERGING = { role: 'value', gives: [[]] } satisfies NodeRule;

/**
 * This pack's own nodes, so that a graph which saves with them is traced like any other. What
 * LineageExtraMetadata adds is the user's word and is written as such: it is not followed for facts.
 */
export default defineRules({
  pack: 'lineage',
  source: 'nodes/metadata/ and nodes/merge/graph/ in this repository',
  nodes: {
    LineageSaveImage: { role: 'saver', takes: { images: 'image' } },
    LineageExtraMetadata: { role: 'value', gives: [[]] },
    LineageRunPipeline: {
      role: 'loader',
      reads: {
        // A name that was taken got a number.
        MODEL_NAME: [
          { output: 3, on: 'model' },
          { input: 'output_name', on: 'model' },
        ],
      },
    },
    LineageMergeSource: MERGING,
    LineageMerge: MERGING,
    LineageBlockWeights: MERGING,
    LineageLoraMerge: MERGING,
    LineageMergeStep: MERGING,
    LineageMergeReport: MERGING,
  },
});
