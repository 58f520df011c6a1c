import { expect, test } from 'vitest';
import { LineageError, MismatchError, mismatchOf } from '../../nodes/kit/errors.ts';

test.each([
  ['expected 8 bytes, got 7', { expected: '8 bytes', got: '7' }],
  ['expected a, b or c, got d, got e', { expected: 'a, b or c', got: 'd, got e' }],
  ['expected a file to read, got: EACCES: denied', { expected: 'a file to read', got: 'EACCES: denied' }],
  ['expected one; got two\nlines', { expected: 'one', got: 'two\nlines' }],
  ['said by others', { expected: 'something else', got: 'said by others' }],
])('mismatchOf takes %j apart', (message, wanted) => {
  expect(mismatchOf(new LineageError('file/unreadable', message))).toEqual(wanted);
});

test('mismatchOf gives back what an error was made of', () => {
  const mismatch = { place: 'slerp.t', expected: 'a number, got or not', got: '"x"' };
  expect(mismatchOf(new MismatchError('merge/parameter', mismatch))).toBe(mismatch);
});
