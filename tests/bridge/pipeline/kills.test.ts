import { expect, test } from 'vitest';
import { killPipeline } from '../../soak/kill-pipeline.ts';

test('killed anywhere and run again, a pipeline gives the same file and leaves no other', {
  timeout: 120_000,
}, async () => {
  const { failures } = await killPipeline({ count: 3, seed: 7, layers: 2 });
  expect(failures).toEqual([]);
});
