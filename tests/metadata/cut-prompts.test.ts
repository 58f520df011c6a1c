import { describe, expect, test } from 'vitest';
import { cutPrompts } from '../../nodes/metadata/cut-prompts.ts';

/** Both prompts in so many characters. */
const cut = (room: number, positive: string, negative = '') =>
  cutPrompts(positive, negative, (first, second) => first.length + second.length <= room);

describe('how the room is shared', () => {
  test.each([
    ['all of both', 9, 'heron', 'blur', 'heron', 'blur'],
    ['the positive prompt first', 7, 'heron', 'blur', 'heron', 'bl'],
    ['a whole positive prompt leaves nothing', 5, 'heron', 'blur', 'heron', ''],
    ['a short negative prompt stays', 16, 'a heron at the lake', 'blur', 'a heron at t', 'blur'],
    ['a long one gets a quarter', 16, 'a heron at the lake', 'blurry', 'a heron at t', 'blur'],
    ['none there', 7, 'a heron at the lake', '', 'a heron', ''],
    ['no room', 0, 'heron', 'blur', '', ''],
  ])('%s', (_what, room, first, second, positive, negative) => {
    expect(cut(room, first, second)).toEqual({ positive, negative });
  });

  test('undefined where not even empty prompts fit', () => {
    expect(cut(-1, '')).toBeUndefined();
  });

  test('a negative prompt beyond ASCII does not halve the room of a positive one within it', () => {
    const fits = (first: string, second: string): boolean => {
      const text = first + second;
      return text.length * (/^[ -~]*$/.test(text) ? 1 : 2) <= 20;
    };
    expect(cutPrompts('x'.repeat(30), 'yyéyy', fits)).toEqual({ positive: 'x'.repeat(18), negative: 'yy' });
  });
});

describe('where a cut falls', () => {
  test.each([
    ['at any character of plain text', 8, 'a heron in fog', 'a heron'],
    ['within a word', 10, 'a heron in fog', 'a heron in'],
    ['before a tag', 20, 'a heron at a lake<lora:glow:0.8>', 'a heron at a lake'],
    [
      'behind a tag that is whole',
      32,
      'a heron at a lake<lora:glow:0.8> in fog',
      'a heron at a lake<lora:glow:0.8>',
    ],
    [
      'through a tag that more than a quarter would go with',
      31,
      'a heron at a lake<lora:glow:0.8> in fog',
      'a heron at a lake<lora:glow:0.8',
    ],
    ['before a bracket with a weight', 24, 'a heron at a large lake (fog:1.2)', 'a heron at a large lake'],
    [
      'before the outermost of nested ones',
      27,
      'a heron at a large lake ((fo[g]:1.2))',
      'a heron at a large lake',
    ],
    ['through one that nobody closes', 24, 'a heron at a large lake :( fog', 'a heron at a large lake'],
    [
      'through one behind a backslash',
      27,
      'a heron at a large lake \\(fog\\)',
      'a heron at a large lake \\(f',
    ],
    ['before half of a pair', 4, 'abc😀😀', 'abc'],
  ])('%s', (_what, room, text, positive) => {
    expect(cut(room, text)?.positive).toBe(positive);
  });

  test('through a bracket around nearly everything, but before those within it', () => {
    const text = `(${'a heron, '.repeat(10)}[fog], night:1.2)`;
    // 91 characters before the inner bracket.
    expect(cut(93, text)?.positive).toBe(text.slice(0, 90));
    expect(cut(50, text)?.positive).toBe(text.slice(0, 50).trimEnd());
  });

  test('a hostile text of brackets takes no time to speak of', () => {
    const started = performance.now();
    cut(40_000, `${'('.repeat(500_000)}${']'.repeat(500_000)}`);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
