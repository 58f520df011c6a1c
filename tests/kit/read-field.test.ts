import fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import type { InputsOf } from '../../nodes/kit/define-node.ts';
import { isLineageError, LineageError } from '../../nodes/kit/errors.ts';
import { ExactNumber } from '../../nodes/kit/exact-json.ts';
import {
  choice,
  custom,
  dynamicChoice,
  images,
  integer,
  model,
  number,
  text,
  toggle,
} from '../../nodes/kit/fields.ts';
import { readFields } from '../../nodes/kit/read-field.ts';

const tooltip = '';
const fields = {
  images: images({ tooltip }),
  words: text({ default: 'x', tooltip, optional: true }),
  count: integer({ default: 1, min: 0, max: 10, tooltip, optional: true }),
  wide: integer({ default: 1, min: 0, max: 2 ** 60, tooltip, optional: true }),
  share: number({ default: 1, min: -1, max: 1, step: 0.1, tooltip, optional: true }),
  file: model({ folders: ['loras'], tooltip, optional: true }),
  flag: toggle({ default: false, tooltip, optional: true }),
  menu: choice(['a', 'b'], { default: 'a', tooltip, optional: true }),
  pairs: custom('PAIRS', {
    optional: true,
    tooltip,
    parse(value) {
      if (value === 'coded') throw new LineageError('option/invalid', 'expected more');
      if (value === 'none') return undefined;
      if (typeof value !== 'object') throw new TypeError('no pairs');
      return Object.keys(Object(value));
    },
  }),
};
const picture = { width: 2, height: 1, channels: 3, data: new Uint8Array(6) };
const read = (values: object) => readFields(fields, { images: [picture], ...values }, '7');
const caught = (values: object): unknown => {
  try {
    return read(values);
  } catch (error) {
    return error;
  }
};

test.each([
  [{ words: '' }, { words: '' }],
  [{ count: 0 }, { count: 0 }],
  [{ count: 10 }, { count: 10 }],
  [{ count: 3n }, { count: 3 }],
  [{ count: new ExactNumber('8.0') }, { count: 8 }],
  [{ wide: 2 ** 53 - 1 }, { wide: 2 ** 53 - 1 }],
  [{ flag: false }, { flag: false }],
  [{ menu: 'b' }, { menu: 'b' }],
  [{ pairs: { a: 1 } }, { pairs: ['a'] }],
  [{ pairs: 'none' }, { pairs: undefined }],
  [{ images: [] }, { images: [] }],
  [{ images: [{ ...picture, data: new Float32Array(6) }] }, {}],
])('no. %#: a value that fits is brought into shape', (values, seen) => {
  expect(read(values)).toMatchObject(seen);
});

test('pictures are handed on, not copied', () => {
  const batch = [picture];
  expect(read({ images: batch })['images']).toBe(batch);
});

test.each([undefined, null])('%s leaves an optional field out', (nothing) => {
  const values = { words: nothing, count: nothing, flag: nothing, menu: nothing, pairs: nothing };
  expect(Object.keys(read(values))).toEqual(['images']);
});

test('what is not declared is left out, and what is inherited is not there', () => {
  expect(read({ stray: 1 })).not.toHaveProperty('stray');
  expect(() => readFields(fields, Object.create({ images: [picture] }), '7')).toThrow('got nothing');
  expect(Object.getPrototypeOf(read({}))).toBeNull();
});

test.each([
  ['images', 'abc', 'expected a batch of pictures of one shape, got "abc"'],
  ['images', undefined, 'got nothing'],
  ['images', null, 'got nothing'],
  ['images', [null], 'got a list'],
  ['images', [picture, 5], 'got a list'],
  ['images', [{ ...picture, data: new Uint8Array(5) }], 'got a list'],
  ['images', [{ ...picture, data: [0, 0, 0, 0, 0, 0] }], 'got a list'],
  ['images', [{ ...picture, channels: 2 }], 'got a list'],
  ['images', [{ ...picture, width: -2, height: -1 }], 'got a list'],
  ['images', [picture, { ...picture, width: 1, height: 2 }], 'got pictures of several shapes'],
  ['words', 5, 'expected a text, got 5'],
  ['words', [picture], 'expected a text, got pictures'],
  ['words', [], 'got a list'],
  ['words', { a: 1 }, 'got an object'],
  ['words', () => 'code', 'got a function'],
  ['count', 11, 'expected a whole number from 0 to 10, got 11'],
  ['count', -1, 'expected a whole number from 0 to 10, got -1'],
  ['count', 1.5, 'got 1.5'],
  ['count', Number.NaN, 'got NaN'],
  ['count', true, 'got true'],
  ['count', 2n ** 64n, 'got 18446744073709551616'],
  ['count', new ExactNumber('18446744073709551616'), 'got 18446744073709551616'],
  ['wide', 2n ** 53n + 1n, 'got 9007199254740993'],
  ['count', '5', 'got "5"'],
  ['flag', 1, 'expected true or false, got 1'],
  ['menu', 'c', 'expected one of a, b, got "c"'],
  ['pairs', 5, 'expected a value of type PAIRS, got 5'],
])('%s: %#, a value that does not fit', (input, value, message) => {
  expect(caught({ [input]: value })).toMatchObject({
    code: 'nodes/wrong-input',
    where: { node: '7', input },
    message: expect.stringContaining(message),
  });
});

describe('the parser of a custom field', () => {
  test('what it says with a code of its own stays; else it is the cause', () => {
    expect(caught({ pairs: 'coded' })).toMatchObject({ code: 'option/invalid' });
    expect(caught({ pairs: 'text' })).toMatchObject({ cause: new TypeError('no pairs') });
  });
});

test('numbers with a fraction, and names of models', () => {
  const read = (values: object) => readFields(fields, { images: [], ...values }, '7');
  expect(read({ share: new ExactNumber('1.0'), file: 'a.safetensors' })).toMatchObject({
    ...{ share: 1, file: 'a.safetensors' },
  });
  for (const share of [1.01, Number.NaN, '0.5', true])
    expect(() => read({ share })).toThrow('expected a number from -1 to 1, got ');
  expect(() => read({ file: 3 })).toThrow('expected the name of a file in loras, got 3');
});

test('a host may have words of its own for a value', () => {
  const describeOdd = (value: unknown) => (value === 5 ? 'a LATENT' : undefined);
  const readWords = (words: unknown) => () => readFields(fields, { images: [], words }, '7', describeOdd);
  expect(readWords(5)).toThrow('expected a text, got a LATENT');
  expect(readWords(6)).toThrow('expected a text, got 6');
});

test('whatever arrives is read or refused with one short line', () => {
  const anything = fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true });
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(fields)), anything, (input, value) => {
      const result = caught({ [input]: value });
      if (!isLineageError(result)) {
        expect(result).not.toBeInstanceOf(Error);
        return;
      }
      expect(result).toMatchObject({ code: 'nodes/wrong-input', where: { node: '7', input } });
      expect(result.message.length).toBeLessThan(400);
      expect(result.message).not.toContain('\n');
    }),
  );
});

describe('a dynamic choice', () => {
  const ways = {
    way: dynamicChoice(
      {
        plain: {},
        mixed: {
          share: number({ default: 0.5, min: 0, max: 1, step: 0.1, tooltip, optional: true }),
          rounds: integer({ default: 1, min: 1, max: 9, tooltip }),
        },
      },
      { tooltip },
    ),
    maybe: dynamicChoice({ low: {}, high: {} }, { tooltip, optional: true }),
  };
  const readWays = (values: object) => readFields(ways, { ...values }, '7');
  const mixed = { chosen: 'mixed', inputs: { share: 0.25, rounds: 2 } };

  test.each([
    ['as a run is given it', { way: { way: 'mixed', share: 0.25, rounds: 2 } }, mixed],
    ['as a prompt spells it', { way: 'mixed', 'way.share': 0.25, 'way.rounds': 2 }, mixed],
    [
      'with numbers as they were spelt',
      { way: 'mixed', 'way.share': new ExactNumber('2.5e-1'), 'way.rounds': 2n },
      mixed,
    ],
    ['by its word alone', { way: 'plain' }, { chosen: 'plain', inputs: {} }],
    [
      'with None for what is not there',
      { way: { way: 'mixed', share: null, rounds: 2 } },
      { chosen: 'mixed', inputs: { rounds: 2 } },
    ],
    [
      'with inputs of another word, which are left out',
      { way: 'plain', 'way.rounds': 2, 'ways.rounds': 2 },
      { chosen: 'plain', inputs: {} },
    ],
  ])('comes %s', (_, values, seen) => {
    expect(readWays(values)).toEqual({ way: seen });
  });

  test.each([
    ['nothing', {}, 'way', 'expected one of plain, mixed, got nothing'],
    ['another word', { way: 'magic' }, 'way', 'got "magic"'],
    ['a name of every object', { way: 'constructor' }, 'way', 'got "constructor"'],
    ['an object without a word', { way: { rounds: 2 } }, 'way', 'got nothing'],
    [
      'an input that is missing',
      { way: 'mixed', wayxrounds: 2 },
      'way.rounds',
      'a whole number from 1 to 9, got nothing',
    ],
    [
      'an input out of its range',
      { way: { way: 'mixed', rounds: 2, share: 2 } },
      'way.share',
      'from 0 to 1, got 2',
    ],
    [
      'another word where it may be absent',
      { way: 'plain', maybe: 'x' },
      'maybe',
      'one of low, high, got "x"',
    ],
  ])('refuses %s', (_, values, input, said) => {
    try {
      readWays(values);
      expect.unreachable();
    } catch (error) {
      expect(isLineageError(error, 'nodes/wrong-input') && error.where.input).toBe(input);
      expect(String(error)).toContain(said);
    }
  });

  test('its word tells the types of its inputs', () => {
    type Way = InputsOf<typeof ways>['way'];
    expectTypeOf<Extract<Way, { chosen: 'mixed' }>['inputs']['share']>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Extract<Way, { chosen: 'mixed' }>['inputs']['rounds']>().toEqualTypeOf<number>();
    expectTypeOf<Way['chosen']>().toEqualTypeOf<'plain' | 'mixed'>();
  });
});
