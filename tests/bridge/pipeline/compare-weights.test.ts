import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { compareWeights } from '../../../bridge/pipeline/compare-weights.ts';
import { documentOf, expectFailure, lineage, newFolder } from '../cli/run.ts';
import { bf16, f16, f32, type Made, makeFolder, writeModel } from '../merge/small-models.ts';

const folder = makeFolder();
afterAll(() => rmSync(folder, { recursive: true }));
const { signal } = new AbortController();

function write(name: string, tensors: Readonly<Record<string, Made>>): string {
  return writeModel(join(folder, name), new Map(Object.entries(tensors))).path;
}

function bytes(dtype: Made['dtype'], ...values: number[]): Made {
  return { dtype, shape: [values.length], bytes: Uint8Array.from(values) };
}

// Longer than what is read at a time; the largest distance lies behind that.
const LONG = 5_000_000;
const long = new Float32Array(LONG).fill(1);
const moved = long.slice();
moved[3] = 1 + 2 ** -23;
moved[LONG - 2] = 1 - 3 * 2 ** -24;

const A = {
  long: f32([LONG], long),
  half: f16([3], [1, 0, -2]),
  brain: bf16([2], [1, 2]),
  ids: bytes('U8', 1, 2, 3),
  same: f32([2], [5, Number.NaN]),
  shape: f32([2], [1, 2]),
  dtype: f32([2], [1, 2]),
  mine: f32([1], [1]),
};
const B = {
  long: f32([LONG], moved),
  // One step beyond 1, the other zero, two steps towards 0.
  half: f16([3], [1 + 2 ** -10, -0, -(2 - 2 ** -9)]),
  brain: bf16([2], [1, Number.NaN]),
  ids: bytes('U8', 1, 9, 9),
  same: f32([2], [5, Number.NaN]),
  shape: f32([1, 2], [1, 2]),
  dtype: f16([2], [1, 2]),
  theirs: f32([1], [1]),
};
const a = write('a.safetensors', A);
const b = write('b.safetensors', B);

test('tells how far each tensor is apart, wherever in the file it is, and what has no counterpart', async () => {
  expect(await compareWeights(a, b, signal)).toEqual({
    tensors: 5,
    elements: LONG + 3 + 2 + 3 + 2,
    different: 2 + 2 + 1 + 2,
    nan: 1,
    largestUlps: 3,
    differing: [
      { name: 'long', dtype: 'F32', elements: LONG, different: 2, nan: 0, largest: 3, at: LONG - 2 },
      { name: 'half', dtype: 'F16', elements: 3, different: 2, nan: 0, largest: 2, at: 2 },
      { name: 'ids', dtype: 'U8', elements: 3, different: 2, nan: 0, largest: 0 },
      { name: 'brain', dtype: 'BF16', elements: 2, different: 1, nan: 1, largest: 0 },
    ],
    onlyInFirst: ['mine'],
    onlyInSecond: ['theirs'],
    unlike: ['dtype', 'shape'],
  });
});

test('stops where it is told to', async () => {
  const stop = AbortSignal.abort(new Error('enough'));
  await expect(compareWeights(a, b, stop)).rejects.toThrow('enough');
});

describe('lineage compare', () => {
  test('says it in words and in a document, and ends with 4', async () => {
    const { status, stdout } = await lineage(newFolder(), ['compare', a, b]);
    expect(status).toBe(4);
    expect(stdout.split('\n')).toEqual([
      '5 tensors of both, 5000010 elements',
      '7 elements in 4 tensors differ, by at most 3 ulps',
      '1 of them are NaN in one only, and have no distance',
      '  long (F32): 2 of 5000000, 3 ulps at element 4999998',
      '  half (F16): 2 of 3, 2 ulps at element 2',
      '  ids (U8): 2 of 3',
      '  brain (BF16): 1 of 2',
      'only in the first: mine',
      'only in the second: theirs',
      'of another type or shape: dtype, shape',
      '',
    ]);
    const document = documentOf(await lineage(newFolder(), ['compare', a, b, '--json']));
    expect(document).toMatchObject({ first: a, second: b, largestUlps: 3, different: 7 });
  });

  test('of the same numbers ends with 0', async () => {
    const { status, stdout } = await lineage(newFolder(), ['compare', a, a]);
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: '8 tensors of both, 5000015 elements\nall the same numbers\n',
    });
  });

  test('names a file that is not there, or is none', async () => {
    const one = newFolder();
    await expectFailure(one, ['compare', a, 'none.safetensors'], { status: 1, code: 'file/missing' });
    writeFileSync(join(one, 'text.safetensors'), 'no model, but long enough for a header');
    await expectFailure(one, ['compare', a, 'text.safetensors'], {
      status: 1,
      code: 'safetensors/malformed',
    });
    const cut = write('cut.safetensors', { same: A.same });
    truncateSync(cut, 90);
    await expectFailure(one, ['compare', a, cut], { status: 1, code: 'safetensors/malformed' });
  });
});
