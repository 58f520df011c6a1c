import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { createDraw } from './fuzz/draw.ts';
import { makeInput } from './fuzz/inputs.ts';
import { isPicture, KINDS, kindOf } from './fuzz/kinds.ts';
import { type Layout, layOut } from './fuzz/layouts.ts';
import { minimise } from './fuzz/minimise.ts';
import { encodeBarePictures } from './fuzz/seeds.ts';
import { Broken, tryInput, type Workbench } from './fuzz/targets.ts';
import { openBench } from './fuzz/worker.ts';

/** What the soak found once, mended since, and the soak itself. */
const FOLDER = new URL('../../fixtures/fuzz/', import.meta.url);
const kept = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap((entry) => readdirSync(new URL(entry.name, FOLDER)).map((name) => [entry.name, name] as const));

let bench: Workbench;
beforeAll(async () => {
  bench = openBench(await encodeBarePictures());
});

test.each(kept)('%s/%s does no harm', async (kind, name) => {
  const input = new Uint8Array(readFileSync(new URL(`${kind}/${name}`, FOLDER)));
  expect(input.length).toBeLessThan(64 * 1024);
  await tryInput(kindOf(kind), input, bench);
});

describe.each(KINDS)('%s', (kind) => {
  test('the same number gives the same input, another gives another', () => {
    const of = (seed: number, index: number): string =>
      Buffer.from(makeInput(kind, bench.seeds, seed, index)).toString('base64');
    expect(of(3, 9)).toBe(of(3, 9));
    const different = new Set(Array.from({ length: 40 }, (_, index) => of(3, index)));
    expect(different.size).toBeGreaterThan(30);
  });

  test('sixty inputs do no harm', async () => {
    for (let index = 0; index < 60; index++)
      await tryInput(kind, makeInput(kind, bench.seeds, 4, index), bench);
  });
});

test.each(KINDS.filter(isPicture))(
  'of a %s, parts that follow on each other and numbers inside them',
  (kind) => {
    for (const bytes of bench.seeds.pictures[kind]) {
      const { parts, numbers }: Layout = layOut(kind, bytes);
      expect(parts.length).toBeGreaterThan(0);
      expect(Math.max(...parts.map(({ end }) => end))).toBeLessThanOrEqual(bytes.length);
      expect(Math.max(...numbers.map(({ at, size }) => at + size))).toBeLessThanOrEqual(bytes.length);
    }
  },
);

test('what is not a LineageError is a finding, and is made smaller without becoming another', async () => {
  const [picture = new Uint8Array()] = bench.seeds.pictures.png;
  const broken: Workbench = {
    ...bench,
    get seeds(): Workbench['seeds'] {
      throw new Broken('planted');
    },
  };
  const graph = new TextEncoder().encode(JSON.stringify(bench.seeds.graphs[0]));
  await expect(tryInput('graph', graph, broken)).rejects.toThrow('planted');
  await expect(tryInput('png', picture.subarray(0, 20), broken)).resolves.toBeUndefined();
  const fault = { what: 'error', signature: 'planted at ', detail: '' } as const;
  const smaller = await minimise('graph', graph, fault, broken, 5_000);
  expect(smaller.length).toBeLessThan(graph.length / 4);
  await expect(tryInput('graph', smaller, broken)).rejects.toThrow('planted');
});

test('draws stay in their range', () => {
  const draw = createDraw(1, 1);
  expect(Array.from({ length: 1_000 }, () => draw.below(7)).every((each) => each >= 0 && each < 7)).toBe(
    true,
  );
});
