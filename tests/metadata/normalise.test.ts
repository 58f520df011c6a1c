import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ExactNumber, type Json, stringifyAscii } from '../../nodes/kit/exact-json.ts';
import { normaliseValue } from '../../nodes/metadata/normalise.ts';
import { META_FIELDS, type MetaField, NORMALISERS, type Normaliser } from '../../rules/define.ts';

/** The fact's value, or why there is none. */
function normalised(field: MetaField, raw: Json, how?: Normaliser): unknown {
  const result = normaliseValue(field, raw, how);
  return result.kind === 'fact' ? result.value : result.kind;
}

describe('normaliseValue', () => {
  test.each<[MetaField, Json, unknown]>([
    ['STEPS', 20, 20],
    ['STEPS', '20', 20],
    ['STEPS', ' 20 ', 20],
    ['CFG', '7.50', new ExactNumber('7.50')],
    ['CFG', new ExactNumber('8.0'), new ExactNumber('8.0')],
    ['SEED', '18446744073709551615', new ExactNumber('18446744073709551615')],
    ['CFG', '.5', 0.5],
    ['CFG', '+7', 7],
    ['SEED', '007', 7],
    ['CFG', '5.', 5],
    ['CFG', 'high', 'not-a-number'],
    ['CFG', '', 'not-a-number'],
    ['CFG', '0x10', 'not-a-number'],
    ['CFG', '1e999', 'not-a-number'],
    ['CFG', new ExactNumber('1e999'), 'not-a-number'],
    ['STEPS', true, 'not-a-number'],
    ['STEPS', [20], 'wrong-type'],
    ['STEPS', null, 'absent'],
    ['MODEL_NAME', ' a.safetensors ', 'a.safetensors'],
    ['MODEL_NAME', 'None', 'absent'],
    ['LORA_MODEL_NAME', 'none', 'absent'],
    ['VAE_NAME', 'N/A', 'absent'],
    ['VAE_NAME', '', 'absent'],
    ['SCHEDULER', 'null', 'absent'],
    ['MODEL_NAME', { content: 'x' }, 'wrong-type'],
    // A prompt may say anything.
    ['POSITIVE_PROMPT', 'None', 'None'],
    ['POSITIVE_PROMPT', ' a ', ' a '],
    ['NEGATIVE_PROMPT', '', ''],
    ['POSITIVE_PROMPT', 5, '5'],
    ['POSITIVE_PROMPT', ['a'], 'wrong-type'],
  ])('%s %j is %j', (field, raw, expected) => expect(normalised(field, raw)).toEqual(expected));

  test.each<[MetaField, Json, Normaliser, unknown]>([
    ['CLIP_SKIP', -2, 'clip-skip', 2],
    ['CLIP_SKIP', 'last', 'clip-skip', 'not-a-number'],
    ['IMAGE_WIDTH', '1344 x 768 (landscape)', 'width-of', 1344],
    ['IMAGE_HEIGHT', '1344 × 768', 'height-of', 768],
    ['IMAGE_HEIGHT', '832X1216', 'height-of', 1216],
    ['IMAGE_WIDTH', 'square', 'width-of', 'absent'],
    ['STEPS', '14.6, 3.1, 0.5, 0', 'sigma-count', 3],
    ['STEPS', '1e1,.5 0', 'sigma-count', 2],
    ['STEPS', [3, 2, 1], 'sigma-count', 2],
    ['STEPS', '', 'sigma-count', 'absent'],
    ['STEPS', '5', 'sigma-count', 'absent'],
    ['END_STEP', 0.25, 'split-at-denoise', 0.25],
  ])('%s %j by %s is %j', (field, raw, how, expected) =>
    expect(normalised(field, raw, how)).toEqual(expected),
  );

  test('a number is finite and can be written, whatever came and however it was brought into shape', () => {
    const raw = fc.oneof(
      fc.stringMatching(/^[+-]?[0.]?\d{0,25}[.e]?\d{0,3}$/),
      fc.jsonValue().map((value) => value as Json),
      fc.double(),
      fc.constantFrom('8.0', '1e999', '18446744073709551616', '-0').map((text) => new ExactNumber(text)),
      fc.constantFrom('1e999', '-1', 'NaN', 'Infinity', '__proto__'),
    );
    const how = fc.option(fc.constantFrom(...NORMALISERS), { nil: undefined });
    fc.assert(
      fc.property(fc.constantFrom(...META_FIELDS), raw, how, (field, value, normaliser) => {
        const result = normaliseValue(field, value, normaliser);
        if (result.kind !== 'fact') return;
        expect(() => stringifyAscii(result.value)).not.toThrow();
        if (typeof result.value === 'number') expect(Number.isFinite(result.value)).toBe(true);
        if (result.value instanceof ExactNumber) expect(Number.isFinite(result.value.value)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
