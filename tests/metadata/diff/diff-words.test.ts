import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffWords, isSameWords } from '../../../nodes/metadata/diff/diff-words.ts';
import { wordsOf } from '../../../nodes/metadata/diff/prompt-words.ts';

const weights = (prompt: string): [string, number][] =>
  wordsOf(prompt).map(({ text, weight }) => [text, weight]);

/** Weights by hand, after A1111's wiki: 1.1 for each round bracket, 1/1.1 for each square one, or as written. */
describe('wordsOf', () => {
  test.each<[string, [string, number][]]>([
    [
      'a fox, snow',
      [
        ['a', 1],
        ['fox', 1],
        ['snow', 1],
      ],
    ],
    [
      '(mist:1.2) (fog) ((dew)) [haze]',
      [
        ['mist', 1.2],
        ['fog', 1.1],
        ['dew', 1.21],
        ['haze', 0.909],
      ],
    ],
    [
      '(old (red:1.5) barn:0.8)',
      [
        ['old', 0.8],
        ['red', 1.2],
        ['barn', 0.8],
      ],
    ],
    [
      '(a:0) b',
      [
        ['a', 0],
        ['b', 1],
      ],
    ],
    [
      'cat \\(animal\\)',
      [
        ['cat', 1],
        ['\\(animal\\)', 1],
      ],
    ],
    [
      '<lora:film grain:0.7> <lora:x>',
      [
        ['<lora:film grain>', 0.7],
        ['<lora:x>', 1],
      ],
    ],
    [
      '(unclosed, words',
      [
        ['unclosed', 1],
        ['words', 1],
      ],
    ],
    [
      'a) b] (c]',
      [
        ['a', 1],
        ['b', 1],
        ['c', 1],
      ],
    ],
    [
      'at 12:30',
      [
        ['at', 1],
        ['12', 1],
        [':', 1],
        ['30', 1],
      ],
    ],
  ])('%s', (prompt, expected) => {
    expect(weights(prompt)).toEqual(expected);
  });

  test('a hostile nest of brackets takes no time', () => {
    const deep = 20_000;
    const started = performance.now();
    expect(wordsOf(`${'('.repeat(deep)}${'a '.repeat(deep)}${')'.repeat(deep)}`)).toHaveLength(deep);
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe('diffWords', () => {
  test('tells what went, what came and what counts differently', () => {
    expect(
      diffWords('a red fox in deep snow, (mist:1.2)', 'a grey fox in snow, (mist:1.4), at dawn'),
    ).toEqual({
      removed: ['red', 'deep'],
      added: ['grey', 'at dawn'],
      reweighted: [{ text: 'mist', before: 1.2, after: 1.4 }],
    });
    expect(diffWords('x <lora:a:0.5>', 'x <lora:b:0.5>')).toMatchObject({
      removed: ['<lora:a:0.5>'],
      added: ['<lora:b:0.5>'],
    });
  });

  test('spaces, commas and brackets without effect are no difference', () => {
    expect(isSameWords(diffWords('a,b ,  c', 'a b\nc'))).toBe(true);
    expect(isSameWords(diffWords('(a:1.0)', 'a'))).toBe(true);
    expect(isSameWords(diffWords('((a))', '(a:1.21)'))).toBe(true);
  });

  const prompt = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(fc.constantFrom('fox', 'snow', ' ', ', ', '(', ')', '[', ']', ':1.2', '\\', '<lora:x:1>', ':'), {
        maxLength: 40,
      })
      .map((parts) => parts.join('')),
  );

  test('a prompt does not differ from itself; the kept words are the same on both sides', () => {
    fc.assert(
      fc.property(prompt, prompt, (a, b) => {
        expect(isSameWords(diffWords(a, a))).toBe(true);
        const { removed, added } = diffWords(a, b);
        const count = (runs: readonly string[]): number =>
          runs.reduce((sum, run) => sum + wordsOf(run).length, 0);
        // A run is shown as words with their weights, so it may be read back; brackets of its own words stay apart.
        if (!/[\\<:]/.test(a + b))
          expect(wordsOf(a).length - count(removed)).toBe(wordsOf(b).length - count(added));
      }),
    );
  });
});
