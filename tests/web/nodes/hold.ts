import { once } from 'node:events';
import { defineNode } from '../../../nodes/kit/define-node.ts';
import { images } from '../../../nodes/kit/fields.ts';

/** Is three tenths done, shows its picture, and stays so until somebody stops it. */
export default defineNode({
  id: 'LineageTestHold',
  title: 'Hold',
  category: 'lineage/test',
  description: 'Runs until it is stopped.',
  terminal: true,
  inputs: { images: images({ tooltip: 'What is shown meanwhile.' }) },
  outputs: { images: { type: 'IMAGE', tooltip: 'Never comes.' } },

  async run({ images: pictures }, host) {
    host.progress?.(3, 10, pictures[0]);
    if (!host.signal.aborted) await once(host.signal, 'abort');
    host.signal.throwIfAborted();
    return { outputs: { images: pictures } };
  },
});
