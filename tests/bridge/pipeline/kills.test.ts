import { expect, test } from 'vitest';
import { killPipeline } from '../../soak/kill-pipeline.ts';

test('killed anywhere and run again, a pipeline gives the same file and leaves no other', {
  timeout: 120_000,
}, async () => {
  // Of this seed, at 0.7, 0.2 and 0.5 of the time that a whole run takes: busy machines are slower now and then.
  const { killed, failures } = await killPipeline({ count: 3, seed: 2, layers: 2 });
  expect(failures).toEqual([]);
  expect(killed, 'runs that were killed before their end').toBeGreaterThan(0);
});
