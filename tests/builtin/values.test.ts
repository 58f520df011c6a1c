import { describe, expect, test } from 'vitest';
import { ExactNumber } from '../../nodes/kit/exact-json.ts';
import type { Pixels } from '../../nodes/kit/values.ts';
import { builtinNode, contextOf, runBuiltin } from './run-node.ts';

const picture: Pixels = { width: 2, height: 1, channels: 3, data: new Uint8Array(6) };

describe('LoadImage', () => {
  const { validate } = builtinNode('LoadImage');
  const files = { has: (name: string) => name === 'a.png' };

  test('validation asks the host whether the file is there', async () => {
    expect(await validate?.check({ image: 'a.png' }, {}, files)).toBe(true);
    expect(await validate?.check({ image: 'b.png' }, {}, files)).toBe('Invalid image file: b.png');
    expect(await validate?.check({ image: 5 }, {}, files)).toBe('Invalid image file: 5');
  });

  test('a linked name, and a host without folders, are for the run', async () => {
    expect(await validate?.check({ image: undefined }, {}, files)).toBe(true);
    expect(await validate?.check({ image: 'b.png' }, {})).toBe(true);
    expect(await builtinNode('LoadImage').fingerprint?.({ image: undefined }, contextOf())).toBeUndefined();
    await expect(runBuiltin('LoadImage', { image: 'b.png' })).rejects.toMatchObject({ code: 'file/missing' });
  });

  test('what is no picture fails with its code', async () => {
    const host = { readInput: async () => new TextEncoder().encode('no picture') };
    await expect(runBuiltin('LoadImage', { image: 'a' }, host)).rejects.toMatchObject({
      code: 'image/undecodable',
    });
  });
});

describe('values that pass through', () => {
  test.each([7, 2n ** 63n - 1n, 'text', true])('a primitive gives %s as it came', async (value) => {
    for (const id of ['PrimitiveInt', 'PrimitiveString', 'PrimitiveBoolean']) {
      expect((await runBuiltin(id, { value })).outputs).toEqual([value]);
    }
  });

  test('the switch asks for one side only, and gives it', async () => {
    const { checkLazy } = builtinNode('ComfySwitchNode');
    const ask = (inputs: Record<string, unknown>) => checkLazy?.(inputs, contextOf());
    expect(ask({ switch: true, on_true: undefined, on_false: undefined })).toEqual(['on_true']);
    expect(ask({ switch: false, on_true: undefined, on_false: undefined })).toEqual(['on_false']);
    expect(ask({ switch: false, on_true: undefined, on_false: 1 })).toEqual([]);
    const result = await runBuiltin('ComfySwitchNode', { switch: false, on_false: 'no', on_true: undefined });
    expect(result.outputs).toEqual(['no']);
  });

  test.each([
    [new ExactNumber('5.0'), '5.0'],
    [2n ** 64n, '18446744073709551616'],
    [[picture, picture], '2 of 2x1x3'],
    [[1n], 'object that cannot be shown: Do not know how to serialize a BigInt'],
  ])('PreviewAny shows %o', async (source, text) => {
    expect((await runBuiltin('PreviewAny', { source })).ui).toEqual({ text: [text] });
  });
});

describe('pictures are shared, not copied', () => {
  test('an empty batch is one picture many times, and so is what is made of it', async () => {
    const inputs = { width: 300, height: 300, batch_size: 64, color: 0 };
    const images = (await runBuiltin('EmptyImage', inputs)).outputs?.[0] as readonly Pixels[];
    const inverted = (await runBuiltin('ImageInvert', { image: images })).outputs?.[0] as readonly Pixels[];
    expect([images.length, inverted.length]).toEqual([64, 64]);
    expect([new Set(images).size, new Set(inverted).size]).toEqual([1, 1]);
    expect(inverted[0]?.data.buffer).toBeInstanceOf(SharedArrayBuffer);
  });

  test('batches are put together of the same pictures', async () => {
    const images = [picture, { ...picture }];
    const repeated = await runBuiltin('RepeatImageBatch', { image: images, amount: 3 });
    expect(((repeated.outputs?.[0] ?? []) as Pixels[])[4]).toBe(picture);
    await expect(
      runBuiltin('RepeatImageBatch', { image: Array.from({ length: 4096 }, () => picture), amount: 4096 }),
    ).rejects.toMatchObject({ code: 'image/too-large' });
  });
});

describe('what does not fit is refused with a code', () => {
  test.each([
    ['ImageInvert', { image: 'text' }, 'builtin/input'],
    ['ImageInvert', { image: [] }, 'builtin/input'],
    [
      'ImageScale',
      { image: [picture], width: 4, height: 4, upscale_method: 'best', crop: 'disabled' },
      'builtin/input',
    ],
    [
      'ImageBatch',
      { image1: [picture], image2: [{ ...picture, channels: 1, data: new Uint8Array(2) }] },
      'builtin/shapes',
    ],
    [
      'RebatchImages',
      { images: [[picture], [{ ...picture, width: 1, height: 2 }]], batch_size: [2] },
      'builtin/shapes',
    ],
    ['CropMask', { mask: [{ ...picture, channels: 1 }], x: 9, y: 0, width: 1, height: 1 }, 'builtin/shapes'],
    [
      'ImageScale',
      { image: [picture], width: 16384, height: 16384, upscale_method: 'bilinear', crop: 'disabled' },
      'image/too-large',
    ],
    ['StringLength', { string: 5 }, 'builtin/input'],
    ['RegexReplace', { string: 'a', regex_pattern: 'a++', replace: '' }, 'builtin/regex'],
    [
      'RegexMatch',
      { string: 'a', regex_pattern: '(?>a)', case_insensitive: true, multiline: false, dotall: false },
      'builtin/regex',
    ],
  ])('%s %o', async (id, inputs, code) => {
    await expect(runBuiltin(id, inputs)).rejects.toMatchObject({ code });
  });
});
