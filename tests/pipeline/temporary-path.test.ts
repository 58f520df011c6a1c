import { expect, test } from 'vitest';
import { isInTemporaryFolder, isTemporaryFolder } from '../../nodes/pipeline/temporary-path.ts';

test.each([
  ['temp/x.safetensors', true],
  ['out/Temp/run/x.safetensors', true],
  ['C:\\models\\tmp\\x.safetensors', true],
  ['temp', false],
  ['temporary/x.safetensors', false],
  ['my-temp/x.safetensors', false],
  ['x.safetensors', false],
])('%s lies in a temporary folder: %s', (path, expected) => {
  expect(isInTemporaryFolder(path)).toBe(expected);
});

test.each([
  ['/models/temp', true],
  ['tmp', true],
  ['/models/temp/run', true],
  ['/models/temp/run/deeper', false],
  ['/models/attempt', false],
  ['/models', false],
])('%s is one, or right in one: %s', (folder, expected) => {
  expect(isTemporaryFolder(folder)).toBe(expected);
});
