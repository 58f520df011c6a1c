import { describe, expect, expectTypeOf, test } from 'vitest';
import { isLineageError } from '../../nodes/kit/errors.ts';
import { checkParams } from '../../nodes/merge/check-params.ts';
import { findMethod } from '../../nodes/merge/find-method.ts';
import type { Params, ParamValues } from '../../nodes/merge/method.ts';
import { mergeMethods } from '../../nodes/merge/methods/index.gen.ts';

const method = {
  id: 'imagined',
  params: {
    share: { default: 0.5, min: 0, max: 1, tooltip: 'A share.' },
    steps: { default: 10, min: 1, max: 99, integer: true, tooltip: 'Steps.' },
    scope: { default: 'tensor', choices: ['tensor', 'model'], tooltip: 'What it goes by.' },
    normalize: { default: true, tooltip: 'On or off.' },
  },
} as const;
const DEFAULTS = { share: 0.5, steps: 10, scope: 'tensor', normalize: true };

function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (isLineageError(error)) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'none';
}

describe('parameters', () => {
  test('that are not given have their defaults', () => {
    expect(checkParams(method, undefined)).toEqual(DEFAULTS);
    expect(checkParams(method, {})).toEqual(DEFAULTS);
    expect(checkParams(method, { steps: undefined })).toEqual(DEFAULTS);
    expect(checkParams({ id: 'none', params: {} }, {})).toEqual({});
  });

  test('that are given are taken, at the ends of their ranges too', () => {
    const given = { share: 0, steps: 99, scope: 'model', normalize: false };
    expect(checkParams(method, given)).toEqual(given);
  });

  test.each([
    [{ share: 1.01 }, 'imagined.share: expected a number from 0 to 1, got 1.01'],
    [{ share: -1e-9 }, 'imagined.share: expected a number from 0 to 1, got -1e-9'],
    [{ share: Number.NaN }, 'imagined.share: expected a number from 0 to 1, got NaN'],
    [{ share: Number.POSITIVE_INFINITY }, 'imagined.share: expected a number from 0 to 1, got Infinity'],
    [{ share: '0.5' }, 'imagined.share: expected a number from 0 to 1, got "0.5"'],
    [{ share: null }, 'imagined.share: expected a number from 0 to 1, got null'],
    [{ steps: 2.5 }, 'imagined.steps: expected a whole number from 1 to 99, got 2.5'],
    [{ steps: 0 }, 'imagined.steps: expected a whole number from 1 to 99, got 0'],
    [{ scope: 'global' }, 'imagined.scope: expected one of tensor, model, got "global"'],
    [{ scope: 1 }, 'imagined.scope: expected one of tensor, model, got 1'],
    [{ normalize: 'true' }, 'imagined.normalize: expected true or false, got "true"'],
    [{ shares: 1 }, 'imagined: expected a parameter named share, steps, scope, normalize, got {"shares":1}'],
    [
      JSON.parse('{"__proto__": 1}'),
      'imagined: expected a parameter named share, steps, scope, normalize, got {"__proto__":1}',
    ],
    [[0.5], 'imagined: expected parameters as names and values, got [0.5]'],
    [null, 'imagined: expected parameters as names and values, got null'],
    ['alpha', 'imagined: expected parameters as names and values, got "alpha"'],
  ])('%j is refused', (given, message) => {
    expect(refusal(() => checkParams(method, given))).toBe(`merge/parameter: ${message}`);
  });

  test('are numbers, words or switches where the method is not known', () => {
    expectTypeOf<ParamValues<Params>[string]>().toEqualTypeOf<number | string | boolean>();
    expectTypeOf<ParamValues<typeof method.params>['scope']>().toEqualTypeOf<'tensor' | 'model'>();
    expectTypeOf<ParamValues<typeof method.params>['normalize']>().toEqualTypeOf<boolean>();
    expectTypeOf<ParamValues<typeof method.params>['steps']>().toEqualTypeOf<number>();
  });
});

describe('methods are found by id', () => {
  test('each of the list, and no two have one', () => {
    for (const each of mergeMethods) expect(findMethod(each.id)).toBe(each);
    expect(new Set(mergeMethods.map(({ id }) => id)).size).toBe(mergeMethods.length);
    expect(mergeMethods.length).toBeGreaterThanOrEqual(20);
  });

  test.each([
    ['weighted_sum', 'did you mean weighted-sum?'],
    ['SLERP', 'did you mean slerp or nuslerp or multislerp?'],
    ['karchr', 'did you mean karcher?'],
    ['stock', 'did you mean model-stock?'],
  ])('%s is not one, but close', (id, words) => {
    const message = refusal(() => findMethod(id));
    expect(message).toContain('merge/unknown-method: expected a merge method (did you mean ');
    for (const word of words.replace('did you mean ', '').replace('?', '').split(' or '))
      expect(message).toContain(word);
    expect(message).toContain(`got "${id}"`);
  });

  test('what is like none is answered with all of them', () => {
    const message = refusal(() => findMethod('zzzzzzzz'));
    for (const { id } of mergeMethods) expect(message).toContain(id);
  });
});
