import { describe, expect, test } from 'vitest';
import { parseManifestText } from '../../../bridge/pipeline/read-manifest-file.ts';

const FILE = 'steps.yaml';

describe('YAML that says more than JSON can is refused where it does', () => {
  test.each([
    ['a tag of ones own', 'pipeline:\n  name: !secret x\n', 'YAML in line 2, column 9', '!secret'],
    ['a tag on a map', 'a:\n  - !merge {b: 1}\n', 'YAML in line 2, column 5', '!merge'],
    ['a tag of Python', 'a: !!python/object:os.system x\n', 'YAML in line 1, column 4', 'python/object'],
    // The parser knows these, and makes bytes, a set and a date of them.
    ['bytes', 'a: 1\nb: !!binary aGk=\n', 'YAML without tags in line 2, column 13', '!!binary'],
    ['a set', 'b: !!set {x, y}\n', 'YAML without tags in line 1, column 10', '!!set'],
    ['a date', 'b: [1, !!timestamp 2020-01-01]\n', 'YAML without tags in line 1, column 20', '!!timestamp'],
    ['an unknown directive', '%FOO bar\n---\na: 1\n', 'YAML in line 1, column 1', '%FOO'],
  ])('%s', (_, text, place, got) => {
    expect(() => parseManifestText(text, FILE)).toThrow(
      expect.objectContaining({
        code: 'pipeline/malformed',
        message: expect.stringMatching(new RegExp(`^expected ${place}, got: .*${got.replace('%', '.')}`)),
        where: { file: FILE },
      }),
    );
  });

  test.each([
    ['two documents', 'a: 1\n---\nb: 2\n', 2],
    ['an empty second one', '# x\na: 1\n\n---\n', 4],
    ['one after an end', '---\na: 1\n...\n---\nb: 2\n', 4],
  ])('%s', (_, text, line) => {
    expect(() => parseManifestText(text, FILE)).toThrow(
      `expected one YAML document, ended in line ${line}, column 1, got: a second one, which begins there with "---"`,
    );
  });

  test('what comes first is told', () => {
    expect(() => parseManifestText('a: !!binary aGk=\nb: [\n', FILE)).toThrow('!!binary');
    expect(() => parseManifestText('a: 1\na: 2\nb: !!binary aGk=\n', FILE)).toThrow('in line 2, column 1');
  });
});

test('tags that only say what JSON has stay', () => {
  const text = 'a: !!str 1\nb: !!int "2"\nc: !!map {d: !!seq [!!bool true, !!null null]}\n';
  expect(parseManifestText(text, FILE)).toEqual({ a: '1', b: 2, c: { d: [true, null] } });
});

test('one document may have a beginning and an end', () => {
  expect(parseManifestText('---\na: 1\n...\n', FILE)).toEqual({ a: 1 });
});

test('JSON under any name: a key that is given twice', () => {
  expect(() => parseManifestText('{"a": 1,\n "a": 2}', FILE)).toThrow('expected JSON in line 2, column 2');
  expect(parseManifestText('{"a": "!!binary x"}', FILE)).toEqual({ a: '!!binary x' });
});
