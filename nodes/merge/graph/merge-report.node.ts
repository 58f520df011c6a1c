import { defineNode } from '../../kit/define-node.ts';
import { custom } from '../../kit/fields.ts';
import { LINEAGE_MERGE_REPORT, reportText } from './report-text.ts';
import { wrongInput } from './step-words.ts';

export default defineNode({
  id: 'LineageMergeReport',
  title: 'Merge Report',
  category: 'lineage/merge',
  description: 'Shows what a merge did: its steps, what they found, and the file it made.',
  terminal: true,
  inputs: {
    report: custom(LINEAGE_MERGE_REPORT, {
      optional: true,
      tooltip: 'From Run Merge.',
      parse: reportText,
    }),
  },
  outputs: { text: { type: 'STRING', tooltip: 'The report as text.' } },

  async run({ report }) {
    if (report === undefined) throw wrongInput('report', 'what Run Merge puts out', '');
    return { outputs: { text: report }, ui: { text: [report] } };
  },
});
