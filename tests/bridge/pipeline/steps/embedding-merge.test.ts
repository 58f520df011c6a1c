import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type EmbeddingMerge, mergeEmbeddings } from '../../../../bridge/pipeline/steps/embedding-merge.ts';
import { draw } from '../../../lora/draw.ts';
import { f32, type Made, makeFolder, numbersOf, readModel } from '../../merge/small-models.ts';
import { openModel, readFixture } from './small-sdxl.ts';

type Sampled = Readonly<Record<string, { readonly shape: number[]; readonly values: number[] }>>;
const recorded = readFixture<Readonly<Record<string, Sampled>>>('embeddings.json');
const folder = makeFolder();
afterAll(() => rmSync(folder, { recursive: true }));

function drawn(seed: number, tokens: number, width: number): Made {
  return f32([tokens, width], draw(seed, [tokens, width]).data);
}

const sdxl = (seed: number, tokens: number): Map<string, Made> =>
  new Map([
    ['clip_l', drawn(seed, tokens, 768)],
    ['clip_g', drawn(seed + 1, tokens, 1280)],
  ]);

async function merge(
  mode: EmbeddingMerge['mode'],
  parts: readonly { readonly tensors: ReadonlyMap<string, Made>; readonly weight: number }[],
) {
  const embeddings = [];
  for (const [at, { tensors, weight }] of parts.entries())
    embeddings.push({ model: (await openModel(folder, `in-${at}.safetensors`, tensors)).model, weight });
  const path = join(folder, 'out.safetensors');
  mergeEmbeddings({ embeddings, mode, dtype: 'F32', out: { path, metadata: new Map([['a', 'b']]) } });
  return readModel(path);
}

const step = { dtype: 'I64', shape: [1], bytes: new Uint8Array(8) } as const;

describe("the merged vectors are torch's", () => {
  test.each([
    [
      'sdxl sum',
      'sum',
      [
        { tensors: sdxl(1, 3), weight: 0.25 },
        { tensors: sdxl(3, 3), weight: 0.75 },
      ],
    ],
    [
      'sdxl concat',
      'concat',
      [
        { tensors: sdxl(1, 3), weight: 1 },
        { tensors: sdxl(5, 1), weight: 0.5 },
      ],
    ],
    [
      'sd1 sum',
      'sum',
      [
        { tensors: new Map([['emb_params', drawn(7, 2, 768)]]), weight: 0.5 },
        {
          tensors: new Map<string, Made>([
            ['string_to_param.*', drawn(8, 2, 768)],
            ['string_to_token.*', step],
          ]),
          weight: -1.5,
        },
      ],
    ],
  ] as const)('%s', async (name, mode, parts) => {
    const merged = await merge(mode, parts);
    expect([...merged.keys()].sort()).toEqual(Object.keys(recorded[name]!).sort());
    for (const [key, { shape, values }] of Object.entries(recorded[name]!)) {
      const made = merged.get(key)!;
      expect(made.shape).toEqual(shape);
      const numbers = numbersOf(made);
      values.forEach((value, i) => {
        expect(Math.abs(numbers[97 * i]! - value)).toBeLessThan(1e-7 * Math.max(1, Math.abs(value)));
      });
    }
  });
});

test('embeddings of different models are refused, and a sum of different lengths', async () => {
  const parts = [
    { tensors: sdxl(1, 2), weight: 1 },
    { tensors: sdxl(1, 3), weight: 1 },
  ];
  await expect(merge('sum', parts)).rejects.toMatchObject({ code: 'lora/embedding-mismatch' });
  const other = { tensors: new Map([['emb_params', drawn(1, 2, 768)]]), weight: 1 };
  await expect(merge('concat', [parts[0]!, other])).rejects.toMatchObject({
    code: 'lora/embedding-mismatch',
  });
});
