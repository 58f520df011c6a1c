import { expect, test } from 'vitest';
import { killTagging } from '../../soak/kill-tagging.ts';

// tests/soak/tag-kills.ts does the same a hundred times with 200 pictures.
test('a run that is killed leaves whole files, goes on, and can be taken back', {
  timeout: 120_000,
}, async () => {
  const { amidst, failures } = await killTagging({ count: 4, seed: 7, pictures: 60 });
  expect(failures).toEqual([]);
  expect(amidst, 'killed with some files done and some not').toBeGreaterThan(0);
});
