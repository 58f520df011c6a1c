import { defineNode } from '../../kit/define-node.ts';
import { LineageError } from '../../kit/errors.ts';
import { choice, text, toggle } from '../../kit/fields.ts';
import { parsePromptGraph } from '../graph.ts';
import { readClassShapes } from './class-shapes.ts';
import { SCAN_MODES, scanRules } from './scan-rules.ts';
import { openHostBook } from './user-book.ts';
import { writeProposals } from './write-rules.ts';

const LIST = 'separated by commas or lines';

const scannerInputs = {
  mode: choice(SCAN_MODES, {
    default: 'new_only',
    tooltip: 'Classes without a rule, all classes, or those that have one.',
  }),
  missing_only: toggle({
    default: true,
    tooltip: 'Only classes that this graph uses.',
  }),
  exclude: text({
    default: '',
    multiline: true,
    optional: true,
    tooltip: `Parts of class names, or fields such as SEED, to leave out; ${LIST}.`,
  }),
  force: text({
    default: '',
    multiline: true,
    optional: true,
    tooltip: `Whole class names to scan in any case, or fields to propose on weak evidence too; ${LIST}.`,
  }),
};

export default defineNode({
  id: 'LineageRuleScanner',
  title: 'Rule Scanner',
  category: 'lineage/rules',
  description:
    'Proposes metadata rules for nodes that Lineage does not know, by what they declare. Look through them before you save them: nothing uses a proposal by itself.',
  terminal: true,
  asksClasses: true,
  inputs: scannerInputs,
  outputs: {
    rules: {
      type: 'STRING',
      tooltip: 'The proposals as a file of rules (YAML), each part with its evidence.',
    },
    diff: { type: 'STRING', tooltip: 'How they differ from the rules that count now.' },
  },

  async run({ mode, missing_only, exclude = '', force = '' }, host) {
    const shapes = readClassShapes(host.classes?.());
    if (shapes.length === 0)
      throw new LineageError('rules/no-host', 'expected a host that tells its classes, got none', {
        node: host.nodeId,
      });
    const book = await openHostBook(host.rules, (code, message, where) =>
      host.log('warn', `[${code}] ${where}: ${message}`),
    );
    const graph = parsePromptGraph(host.prompt, () => {});
    const used = new Set([...graph.values()].map(({ classType }) => classType));
    const proposals = scanRules(shapes, book, {
      mode,
      exclude: wordsOf(exclude),
      force: wordsOf(force),
      ...(missing_only && { only: used }),
    });
    const rules = writeProposals(proposals);
    const diff = proposals
      .map((each) => [each.classType, ...each.diff.map((line) => `  ${line}`)].join('\n'))
      .join('\n');
    return { outputs: { rules, diff }, ui: { text: [rules] } };
  },
});

function wordsOf(list: string): readonly string[] {
  return list.split(/[,\n]/);
}
