import { setTimeout as sleep } from 'node:timers/promises';
import { defineGraphNode, type GraphNode } from '../../../../nodes/kit/graph-node.ts';
import type { Pixels } from '../../../../nodes/kit/values.ts';

const TEXTS = { category: 'golden', description: '' };

const preview = defineGraphNode({
  id: 'GoldenPreview',
  title: 'GoldenPreview',
  ...TEXTS,
  required: { images: { type: 'IMAGE', options: {} } },
  hidden: { unique_id: 'UNIQUE_ID' },
  outputs: [],
  terminal: true,
  async run({ images }, { host }) {
    const [first] = images as readonly Pixels[];
    host.progress?.(1, 2, first);
    await sleep(300);
    host.progress?.(2, 2);
    await sleep(100);
    return { ui: { text: ['done'] } };
  },
});

const WORDS = Array.from({ length: 25 }, (_, index) => `word ${index}`);

const menu = defineGraphNode({
  id: 'GoldenMenu',
  title: 'GoldenMenu',
  ...TEXTS,
  required: { choice: { type: WORDS, options: {} } },
  outputs: [],
  terminal: true,
  run: ({ choice }) => ({ ui: { text: [choice] } }),
});

/** The twins of the Python nodes in `../pack`: one that shows a preview, one with a menu too long for an error. */
const nodes: readonly GraphNode[] = [preview, menu];
export default nodes;
