import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Detail,
  type Parameters,
  parseInfotext,
  renderParameters,
} from '../../nodes/metadata/infotext.ts';
import { cleanPrompt, cleanValue } from '../../nodes/metadata/plain-text.ts';

const again = (text: string): string => renderParameters(parseInfotext(text));

const word = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('(a:1.2)', '[b', '{', '\\', '"', ',', ':'),
);
const prompt = fc
  .array(fc.oneof(word, fc.constantFrom('\n', 'Steps: 3', 'Size: 3x3', ' ')))
  .map((words) => cleanPrompt(words.join(' '), '', () => {}))
  .filter((text) => !/^Negative prompt:/m.test(text));
const value = word.map((text) => cleanValue(text) || 'x');
const hashes = fc.dictionary(
  fc.stringMatching(/^(model|vae|lora:[\w.]+)$/),
  fc.stringMatching(/^[0-9a-f]{10}$/),
);

describe('parseInfotext', () => {
  test('gives back the parts that renderParameters put together', () => {
    fc.assert(
      fc.property(
        prompt,
        prompt,
        fc.array(value),
        value,
        hashes,
        (positive, negative, notes, lora, table) => {
          const details: Detail[] = [
            { key: 'Steps', value: '30' },
            { key: 'LoRA 0', value: `"Name: ${lora}, Strength model: 0.8"` },
            { key: 'Lora hashes', value: `"${lora}: 0123456789"` },
            ...notes.map((note, i) => ({ key: `Note ${i}`, value: note })),
            { key: 'Version', value: 'ComfyUI' },
            { key: 'Samplers detail', value: '"1: Euler 0-19, 2: Heun 20-29"' },
          ];
          const parameters: Parameters = {
            positive,
            negative,
            details,
            hashes: new Map(Object.entries(table)),
          };
          const text = renderParameters(parameters);
          // A leading brace is written behind a space.
          const shown = positive.startsWith('{') ? ` ${positive}` : positive;
          expect(parseInfotext(text)).toEqual({ ...parameters, positive: shown });
          expect(again(text)).toBe(text);
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    [
      "A1111's own",
      'a fox\nin snow\nNegative prompt: blurry\nbad\nSteps: 20, Sampler: Euler a, Seed: 1, Size: 512x512, Model hash: abc, ControlNet 0: "Module: canny, Weight: 1", Version: v1.9.4',
    ],
    ['without a positive prompt', '\nNegative prompt: \nSteps: 20, Seed: 1'],
    [
      'with JSON that is not ours',
      'a\nNegative prompt: b\nSteps: 20, Civitai resources: [{"a":"x, y: z"}], Seed: 2',
    ],
    [
      'with brackets that do not close',
      'a\nNegative prompt: b\nSteps: 20, Model: [x {y, Seed: 2, Version: z',
    ],
    ['with a quote that does not close', 'a\nNegative prompt: b\nSteps: 20, Note: "x, Seed: 2\\'],
    ['with templates behind the settings', 'a\nNegative prompt: b\nSteps: 20, Seed: 2\nTemplate: {a|b}'],
  ])('text %s is written again as it came', (_what, text) => expect(again(text)).toBe(text));

  test('line ends of Windows are read as line ends', () => {
    expect(parseInfotext('a\r\nNegative prompt: b\r\nSteps: 3')).toEqual({
      positive: 'a',
      negative: 'b',
      details: [{ key: 'Steps', value: '3' }],
      hashes: new Map(),
    });
  });

  test('brackets in a value do not swallow the keys behind it', () => {
    const { details } = parseInfotext(
      'a\nNegative prompt: \nSteps: 3, Model: [x, Seed: 4, LoRA 0: "Name: {y"',
    );
    expect(details.map(({ key }) => key)).toEqual(['Steps', 'Model', 'Seed', 'LoRA 0']);
  });

  test('a broken table of hashes that is not ours is dropped; prompts without settings stay', () => {
    expect(parseInfotext('a\nNegative prompt: b\nSteps: 3, Hashes: {"model": nonsense}').hashes).toEqual(
      new Map(),
    );
    expect(parseInfotext('only a prompt')).toEqual({
      positive: 'only a prompt',
      negative: '',
      details: [],
      hashes: new Map(),
    });
  });

  test('any text is taken apart without a fault', () => {
    const piece = fc.constantFrom(
      'a',
      ': ',
      ', ',
      '"',
      '\\',
      '{',
      '}',
      '[',
      ']',
      '\n',
      'Steps',
      'Hashes',
      'Negative prompt:',
    );
    fc.assert(
      fc.property(
        fc.array(piece).map((pieces) => pieces.join('')),
        (text) => void again(text),
      ),
    );
  });
});
