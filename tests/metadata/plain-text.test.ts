import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createWarningLog } from '../../nodes/kit/warning-log.ts';
import { cleanPrompt, cleanValue, fileStem, wellFormed } from '../../nodes/metadata/plain-text.ts';

const clean = (prompt: string) => cleanPrompt(prompt, 'positive prompt', () => {});

describe('cleanPrompt', () => {
  test.each([
    [' a\r\nb\rc\n', 'a\nb\nc'],
    ['Steps: 5', ' Steps: 5'],
    ['a\nSteps: 5\nTemplate: x\nNegative Template: y', 'a\n Steps: 5\n Template: x\n Negative Template: y'],
    ['a Steps: 5', 'a Steps: 5'],
    ['Steps:5', 'Steps:5'],
    ['steps: 5', 'steps: 5'],
    ['(masterpiece:1.2), best', '(masterpiece:1.2), best'],
    ['  ', ''],
  ])('%j is written %j', (prompt, written) => expect(clean(prompt)).toBe(written));

  test('no line of any prompt looks like a settings line, and nothing but white space is lost', () => {
    const piece = fc.constantFrom(
      'Steps: ',
      'Template: ',
      'Negative Template: ',
      '\n',
      '\r\n',
      '\r',
      ' ',
      'a',
      '😀',
      '\ud800',
      '\0',
    );
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (prompt) => {
          const written = clean(prompt);
          expect(written).not.toMatch(/^(Steps|Template|Negative Template): /m);
          expect(written.isWellFormed()).toBe(true);
          expect(written).not.toMatch(/[\r\0]/);
          const letters = (text: string) => text.replace(/\s/g, '').replace(/[\0\ud800\ufffd]/g, '?');
          expect(letters(written)).toBe(letters(prompt));
          expect(clean(written)).toBe(clean(clean(written)));
        },
      ),
    );
  });
});

test('wellFormed says what it replaced, and only then', () => {
  const { warn, list } = createWarningLog();
  expect(wellFormed('a😀b', 'x', warn)).toBe('a😀b');
  expect(list).toEqual([]);
  expect(wellFormed('a\ud83db\0', 'x', warn)).toBe('a\ufffdb\ufffd');
  expect(list).toMatchObject([{ code: 'value/cleaned', where: 'x' }]);
});

test.each([
  ['a, b: "c"\nd', 'a b c d'],
  ['  x ', 'x'],
  [',:"', ''],
  ['a\ud800', 'a\ufffd'],
  ['DPM++ 2M (x|y)', 'DPM++ 2M (x|y)'],
])('cleanValue(%j) is %j', (value, cleaned) => expect(cleanValue(value)).toBe(cleaned));

test.each([
  ['sub/dir\\name.v1.0.safetensors', 'name.v1.0'],
  ['a.ckpt', 'a'],
  ['a.GGUF', 'a'],
  ['a.tar', 'a.tar'],
  ['a.safetensors.bak', 'a.safetensors.bak'],
  ['noext', 'noext'],
  ['x, y: z.pth', 'x y z'],
  ['.safetensors', ''],
])('fileStem(%j) is %j', (name, stem) => expect(fileStem(name)).toBe(stem));
