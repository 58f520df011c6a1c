import { expect, test } from 'vitest';
import { toSavedFile } from '../../nodes/kit/saved-file.ts';

test.each([
  ['a.png', 'a.png', ''],
  ['in/a.png', 'a.png', 'in'],
  ['in/side/a.b.png', 'a.b.png', 'in/side'],
])('%s', (path, filename, subfolder) => {
  expect(toSavedFile(path, 'temp')).toEqual({ filename, subfolder, type: 'temp' });
});
