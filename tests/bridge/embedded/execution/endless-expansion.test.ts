import { expect, test } from 'vitest';
import { defineGraphNode } from '../../../../nodes/kit/graph-node.ts';
import { createBench } from './harness.ts';

/** Expands into itself, for ever. */
const endless = defineGraphNode({
  id: 'Endless',
  title: 'Endless',
  category: 'test',
  description: 'expands into itself',
  required: {},
  outputs: [{ type: 'INT', name: 'n' }],
  terminal: true,
  run: () => ({
    expand: { ['again'.repeat(20)]: { class_type: 'Endless', inputs: {} } },
    outputs: [['again'.repeat(20), 0]],
  }),
});

test('a loop that never ends fails by its depth', async () => {
  const bench = createBench([endless]);
  const { status } = await bench.run({ '1': { class_type: 'Endless', inputs: {} } });
  expect(status).toBe('error');
  expect(bench.of('execution_error')[0]?.['exception_message']).toContain(
    'expected nodes that expand less deep',
  );
});
