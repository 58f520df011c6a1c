import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { loraTags, withoutLoraTags } from '../../nodes/metadata/lora-tags.ts';

describe('loraTags', () => {
  // Read off the patterns of Impact Pack's, rgthree's, Easy Use's and Prompt Control's own parsers.
  test.each<[string, [string, string, string][]]>([
    ['a cat', []],
    ['<lora:fur>', [['fur', '1', '1']]],
    ['<lora:fur:0.8>', [['fur', '0.8', '0.8']]],
    ['<lora:fur:0.8:0.5>', [['fur', '0.8', '0.5']]],
    ['<lora:fur:-0.4>', [['fur', '-0.4', '-0.4']]],
    ['<lora:fur:1:-.5>', [['fur', '1', '-.5']]],
    ['<lora:fur:+1.>', [['fur', '+1.', '+1.']]],
    ['<lora:sdxl/fur v2.1.safetensors:0.8>', [['sdxl/fur v2.1.safetensors', '0.8', '0.8']]],
    [
      'a <lora:a:0.1>, b<lora:b:0.2> c',
      [
        ['a', '0.1', '0.1'],
        ['b', '0.2', '0.2'],
      ],
    ],
    // Scheduled by Prompt Control: loaded for a part of the steps.
    ['[a <lora:a:0.7>:b:0.5]', [['a', '0.7', '0.7']]],
    // Block weights stand where they like.
    ['<lora:fur:0.8:LBW=SD-ALL:1,0,1;A=0.5;B=0.2>', [['fur', '0.8', '0.8']]],
    ['<lora:fur:LBW=XS:0.6:0.3>', [['fur', '0.6', '0.3']]],
    ['<lora:fur:0>', []],
    ['<lora:fur:0:0.0>', []],
    ['<lora:fur:0:1>', [['fur', '0', '1']]],
    ['<lora:>', []],
    ['<lora: :1>', []],
    ['<lora:fur:1', []],
    ['<lora:a<lora:b:1>', [['b', '1', '1']]],
    ['<Lora:fur:1>', []],
    ['<lyco:fur:1>', []],
  ])('%s', (text, expected) => {
    expect(loraTags(text).map(({ name, model, clip }) => [name, model, clip])).toEqual(expected);
  });

  test.each([
    { what: '64 tags', text: '<lora:a>'.repeat(64), found: 64, cut: [] },
    { what: '70 tags', text: '<lora:a>'.repeat(70), found: 64, cut: [6] },
    {
      what: 'a tag behind 65536 characters',
      text: `<lora:a>${'x'.repeat(65_536)}<lora:b>`,
      found: 1,
      cut: [1],
    },
  ])('$what: what is left out is told', ({ text, found, cut }) => {
    const told: number[] = [];
    expect(loraTags(text, (left) => told.push(left))).toHaveLength(found);
    expect(told).toEqual(cut);
  });

  const name = fc.stringMatching(/^[\w./\\-]{1,20}$/);
  const strength = fc.integer({ min: -200, max: 200 }).map((hundredths) => String(hundredths / 100));
  const words = fc.stringMatching(/^[^<>]{0,20}$/);

  test('finds every tag that was written, with its strengths, and leaves the words between them', () => {
    const tag = fc.tuple(name, strength, strength).filter(([, model, clip]) => model !== '0' || clip !== '0');
    fc.assert(
      fc.property(fc.array(fc.tuple(words, tag), { maxLength: 60 }), words, (parts, end) => {
        const text = parts.map(([before, [lora, model, clip]]) => `${before}<lora:${lora}:${model}:${clip}>`);
        expect(loraTags(text.join('') + end)).toEqual(
          parts.map(([, [lora, model, clip]]) => ({ name: lora, model, clip })),
        );
        expect(withoutLoraTags(text.join('') + end)).toBe(parts.map(([before]) => before).join('') + end);
      }),
    );
  });

  test('any text: strengths are numbers, what is left holds no tag', () => {
    const piece = fc.constantFrom('<lora:', '>', ':', 'a', '1', '-', '.', ' ', '<', '0', 'LBW=');
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(piece).map((pieces) => pieces.join('')),
        ),
        (text) => {
          for (const tag of loraTags(text)) {
            expect(tag.name).not.toBe('');
            expect(Number(tag.model)).not.toBeNaN();
            expect(Number(tag.clip)).not.toBeNaN();
          }
          if (loraTags(text).length === 0) return;
          expect(withoutLoraTags(text).length).toBeLessThan(text.length);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('a text that nobody writes is read so far and no further', () => {
    expect(loraTags('<lora:a:0.5>'.repeat(1000))).toHaveLength(64);
    expect(loraTags(`${' '.repeat(65_000)}<lora:a:0.5>${' '.repeat(65_000)}<lora:b:0.5>`)).toEqual([
      { name: 'a', model: '0.5', clip: '0.5' },
    ]);
  });

  test('a long text full of half tags costs no more than its length', () => {
    const text = '<lora:a:'.repeat(200_000);
    const start = performance.now();
    expect(loraTags(text)).toEqual([]);
    expect(withoutLoraTags(text)).toBe(text);
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
