import { describe, expect, test } from 'vitest';
import { isLineageError } from '../../../nodes/kit/errors.ts';
import { checkParams } from '../../../nodes/merge/check-params.ts';
import { findMethod } from '../../../nodes/merge/find-method.ts';
import { mergeMethods } from '../../../nodes/merge/methods/index.gen.ts';
import { countSurveyRounds } from '../../../nodes/merge/run-method.ts';
import { readText } from '../../house/sources.ts';
import { mergeInMemory } from './merge-in-memory.ts';

type Rows = readonly (readonly number[])[];

/** One tensor `[rows, columns]` of every model. */
function mergeRows(
  id: string,
  params: object,
  models: readonly Rows[],
  weights?: readonly number[],
  base?: Rows,
): number[] {
  const method = findMethod(id);
  const modelOf = (rows: Rows) =>
    new Map([['x', { shape: [rows.length, rows[0]!.length], elements: Float32Array.from(rows.flat()) }]]);
  const merged = mergeInMemory(method, {
    params: checkParams(method, params),
    weights: weights ?? models.map(() => 1),
    models: models.map(modelOf),
    ...(base && { base: modelOf(base) }),
  });
  return [...merged.get('x')!];
}

const codeOf = (run: () => unknown): string | undefined => {
  try {
    run();
  } catch (error) {
    if (isLineageError(error)) return error.code;
    throw error;
  }
  return undefined;
};

describe('a tensor of zeros has no direction', () => {
  const a = [[0, 0]];
  const b = [[3, 4]];

  test('slerp and nuslerp turn as if it stood at a right angle', () => {
    const half = Math.SQRT1_2;
    expect(mergeRows('slerp', {}, [a, b])).toEqual([3 * half, 4 * half].map(Math.fround));
    expect(mergeRows('nuslerp', {}, [b, a])).toEqual([3 * half, 4 * half].map(Math.fround));
  });

  test('the Karcher mean leaves it out of the direction, not of the norm', () => {
    expect(mergeRows('karcher', {}, [a, b])).toEqual([1.5, 2]);
    expect(mergeRows('karcher', {}, [a, [[0, -0]]])).toEqual([0, 0]);
    // So it does with one that is shorter than the tolerance: the norm is halfway between 0.05 and 5, along b.
    expect(mergeRows('karcher', { tolerance: 0.1 }, [[[-0.03, 0.04]], b])).toEqual(
      [0.6 * 2.525, 0.8 * 2.525].map(Math.fround),
    );
  });

  test('model stock takes a model that is the base to be at a right angle: nothing agrees', () => {
    expect(mergeRows('model-stock', {}, [b, [[1, 1]]], undefined, [[1, 1]])).toEqual([1, 1]);
  });
});

describe('opposite tensors', () => {
  const a = [[3, 4]];
  const b = [[-3, -4]];

  test('slerp mixes them in a straight line', () => {
    expect(mergeRows('slerp', { t: 0.25 }, [a, b])).toEqual([1.5, 2]);
    expect(mergeRows('nuslerp', {}, [a, b], [3, 1])).toEqual([1.5, 2]);
  });

  test('multislerp mixes two in a straight line, and finds no point among more', () => {
    expect(mergeRows('multislerp', {}, [a, b])).toEqual([0, 0]);
    expect(codeOf(() => mergeRows('multislerp', {}, [a, b, [[0, 0]]]))).toBe('merge/no-direction');
  });

  test('the Karcher mean stays at the first of them', () => {
    expect(mergeRows('karcher', {}, [a, b])).toEqual([3, 4]);
  });

  test('model stock stays at the base, where its formula would leave it backwards', () => {
    expect(mergeRows('model-stock', {}, [a, b], undefined, [[0, 0]])).toEqual([0, 0]);
    expect(mergeRows('model-stock', {}, [[[3, 4]], [[-4, 2.9]]], undefined, [[0, 0]])).toEqual([0, 0]);
  });
});

describe('slerp between tensors that are all but parallel', () => {
  // A hundredth of a radian apart: a cosine of 0.99995.
  const a = [[1, 0]];
  const b = [[Math.cos(0.01), Math.sin(0.01)]];

  test('goes in a straight line, or along the arc where that is asked for', () => {
    const [x, y] = mergeRows('slerp', {}, [a, b]);
    expect(Math.hypot(x!, y!)).toBeCloseTo(Math.cos(0.005), 7);
    const [u, v] = mergeRows('slerp', { parallel: 1 }, [a, b]);
    expect(Math.hypot(u!, v!)).toBeCloseTo(1, 7);
    expect(Math.atan2(v!, u!)).toBeCloseTo(0.005, 7);
  });
});

describe('multislerp of models that are alike', () => {
  test('scales by the sum of weights where they are not normalised', () => {
    expect(mergeRows('multislerp', { normalize: false }, [[[3, 4]], [[3, 4]]], [1, 1])).toEqual(
      [6, 8].map(Math.fround),
    );
  });
});

describe('a model of which all columns are alike', () => {
  test('keeps the share of A that alpha leaves', () => {
    for (const id of ['cosine-a', 'cosine-b']) {
      expect(
        mergeRows(id, { alpha: 0.25 }, [
          [[1], [0]],
          [[5], [0]],
        ]),
      ).toEqual([2, 0]);
    }
  });
});

describe('weights that give no result are refused', () => {
  const two = [[[1, 2]], [[3, 4]]];

  test.each(['linear', 'multislerp', 'karcher'])('%s: a sum of 0', (id) => {
    expect(codeOf(() => mergeRows(id, {}, two, [1, -1]))).toBe('merge/weights');
  });

  test('task arithmetic: only where it divides by it', () => {
    expect(codeOf(() => mergeRows('task-arithmetic', { normalize: true }, two, [1, -1], [[0, 0]]))).toBe(
      'merge/weights',
    );
    expect(mergeRows('task-arithmetic', {}, two, [1, -1], [[5, 5]])).toEqual([3, 3]);
  });

  test('nuslerp takes equal shares', () => {
    expect(mergeRows('nuslerp', {}, [[[2, 0]], [[0, 2]]], [1, -1])).toEqual(
      mergeRows('nuslerp', {}, [[[2, 0]], [[0, 2]]], [1, 1]),
    );
  });
});

describe('the median of whole models', () => {
  test('is surveyed only where it is asked for', () => {
    const method = findMethod('geometric-median');
    expect(countSurveyRounds(method, checkParams(method, { scope: 'model' }))).toBe(1);
    expect(countSurveyRounds(method, checkParams(method, {}))).toBe(0);
  });

  test('takes a tensor that a model lacks by itself', () => {
    const method = findMethod('geometric-median');
    if (!('survey' in method) || !method.survey) throw new Error('it has a survey');
    const params = checkParams(method, { scope: 'model' });
    const found = [Float64Array.of(0, 0, 0, 1), Float64Array.of(7), Float64Array.of(0, 0, 0, 2)];
    expect(method.survey.combine(found, 0, params as never, [])).toEqual(Float64Array.of(0, 0, 0, 3));
  });
});

describe('what other tools do differently is on record', () => {
  const rows: readonly Record<string, string>[] = JSON.parse(
    readText('fixtures/merge/methods/differences.json'),
  );

  test('every row names a method, a tool, both definitions and the reason', () => {
    for (const row of rows) {
      expect(Object.keys(row)).toEqual(['method', 'tool', 'theirs', 'ours', 'why']);
      expect(mergeMethods.map(({ id }) => id)).toContain(row['method']);
      for (const text of Object.values(row)) expect(text.trim()).not.toBe('');
    }
    expect(rows.length).toBeGreaterThan(20);
  });
});
