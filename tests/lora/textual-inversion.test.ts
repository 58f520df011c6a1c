import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../nodes/lora/tensor.ts';
import {
  type Embedding,
  joinEmbeddings,
  readEmbedding,
  sumEmbeddings,
  writeEmbedding,
} from '../../nodes/lora/textual-inversion.ts';
import { draw } from './draw.ts';

function read(tensors: Readonly<Record<string, Tensor>>): Embedding {
  return readEmbedding(new Map(Object.entries(tensors)));
}

const sd1 = (seed: number, tokens = 2) => read({ emb_params: draw(seed, [tokens, 768]) });
const sdxl = (seed: number, tokens = 2) =>
  read({ clip_l: draw(seed, [tokens, 768]), clip_g: draw(seed + 1, [tokens, 1280]) });
const mismatch = expect.objectContaining({ code: 'lora/embedding-mismatch' });

describe('readEmbedding', () => {
  test.each([
    ['A1111', { emb_params: draw(1, [3, 768]) }, [3, 768]],
    ['SD 2', { emb_params: draw(1, [3, 1024]) }, [3, 1024]],
    [
      'a pickled dictionary',
      { 'string_to_param.*': draw(1, [2, 768]), 'string_to_token.*': draw(1, []) },
      [2, 768],
    ],
    ['diffusers, a lone vector', { '<cat>': draw(1, [768]) }, [1, 768]],
  ])('%s', (_, tensors, shape) => {
    expect(readEmbedding(new Map(Object.entries(tensors))).get('clip')?.shape).toEqual(shape);
  });

  test('SDXL: both encoders', () => {
    const embedding = sdxl(1, 4);
    expect([...embedding].map(([encoder, { shape }]) => [encoder, shape])).toEqual([
      ['clip_l', [4, 768]],
      ['clip_g', [4, 1280]],
    ]);
  });

  test.each([
    ['nothing', {}],
    ['one half of SDXL', { clip_g: draw(1, [1, 1280]) }],
    ['another width', { emb_params: draw(1, [1, 700]) }],
    ['no vectors', { emb_params: draw(1, [0, 768]) }],
    ['too many axes', { emb_params: draw(1, [1, 1, 768]) }],
    ['encoders that are swapped', { clip_l: draw(1, [1, 1280]), clip_g: draw(1, [1, 768]) }],
    ['several tokens', { '<a>': draw(1, [768]), '<b>': draw(2, [768]) }],
    ['more than the vectors', { emb_params: draw(1, [1, 768]), other: draw(2, [768]) }],
    ['a third encoder', { clip_l: draw(1, [1, 768]), clip_g: draw(1, [1, 1280]), t5xxl: draw(1, [1, 4096]) }],
  ])('refuses %s', (_, tensors) => {
    expect(() => readEmbedding(new Map(Object.entries(tensors)))).toThrow(
      expect.objectContaining({ code: 'lora/embedding' }),
    );
  });
});

describe('sumEmbeddings', () => {
  test('sums both encoders of SDXL vector by vector, with negative weights', () => {
    const [a, b] = [sdxl(1), sdxl(5)];
    const merged = sumEmbeddings([
      { embedding: a, weight: 0.75 },
      { embedding: b, weight: -0.5 },
    ]);
    for (const encoder of ['clip_l', 'clip_g'] as const) {
      const wanted = a.get(encoder)!.data.map((value, i) => 0.75 * value - 0.5 * b.get(encoder)!.data[i]!);
      expect(merged.get(encoder)).toEqual({ shape: a.get(encoder)!.shape, data: wanted });
    }
  });

  test('one with 1 is itself', () => {
    expect(sumEmbeddings([{ embedding: sd1(1), weight: 1 }])).toEqual(sd1(1));
  });

  test('refuses other numbers of vectors, other widths and other encoders', () => {
    const whole = (embedding: Embedding) => ({ embedding, weight: 1 });
    const sd2 = read({ emb_params: draw(1, [2, 1024]) });
    expect(() => sumEmbeddings([whole(sd1(1)), whole(sd1(1, 3))])).toThrow(mismatch);
    expect(() => sumEmbeddings([whole(sd1(1)), whole(sd2)])).toThrow(mismatch);
    expect(() => sumEmbeddings([whole(sd1(1)), whole(sdxl(1))])).toThrow(mismatch);
    expect(() => joinEmbeddings([whole(sd1(1)), whole(sd2)])).toThrow(mismatch);
    expect(() => joinEmbeddings([])).toThrow(expect.objectContaining({ code: 'lora/embedding' }));
  });
});

describe('joinEmbeddings', () => {
  test('puts the vectors of all one after the other, in both encoders', () => {
    const joined = joinEmbeddings([
      { embedding: sdxl(1), weight: 1 },
      { embedding: sdxl(5, 3), weight: 0.5 },
    ]);
    const { shape, data } = joined.get('clip_g')!;
    expect(shape).toEqual([5, 1280]);
    expect(data.subarray(0, 2 * 1280)).toEqual(draw(2, [2, 1280]).data);
    expect(data.subarray(2 * 1280)).toEqual(draw(6, [3, 1280], 0.5).data);
    expect(joined.get('clip_l')?.shape).toEqual([5, 768]);
  });
});

test('writeEmbedding names the vectors as readers expect them', () => {
  const names = (embedding: Embedding) =>
    writeEmbedding(embedding, 'F16').map(({ name, dtype, shape }) => [name, dtype, shape]);
  expect(names(sd1(1))).toEqual([['emb_params', 'F16', [2, 768]]]);
  expect(names(sdxl(1))).toEqual([
    ['clip_l', 'F16', [2, 768]],
    ['clip_g', 'F16', [2, 1280]],
  ]);
});
