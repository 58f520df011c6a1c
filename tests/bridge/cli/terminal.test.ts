import { expect, test } from 'vitest';
import { noteWarnings } from '../../../bridge/cli/terminal.ts';

test('a warning that quotes a file cannot steer the terminal', () => {
  const noted: string[] = [];
  const terminal = { print: () => {}, note: (text: string) => void noted.push(text), debug: () => {} };
  noteWarnings([{ code: 'graph/nan', message: 'got \x1b[31m', where: 'a\nb\x07' }], terminal);
  expect(noted).toEqual(['warning [graph/nan] a\\u{a}b\\u{7}: got \\u{1b}[31m']);
});
